//! Handles `sendmessage`: posts `data` to every connection, and deletes connections that are gone.

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use chat::{Connections, config};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = config().await;
    let connections = &Connections::new(&config)?;
    let url = std::env::var("CONNECTIONS_URL")?;
    let client = &Client::from_conf(Builder::from(&config).endpoint_url(url).build());
    lambda_runtime::run(service_fn(|event| send(connections, client, event))).await
}

async fn send(
    connections: &Connections,
    client: &Client,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    let message: Value = serde_json::from_str(event.payload["body"].as_str().unwrap_or_default())?;
    let data = message["data"].as_str().unwrap_or_default();
    for id in connections.all().await? {
        let posted = client.post_to_connection().connection_id(&id).data(Blob::new(data)).send();
        match posted.await {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(|e| e.is_gone_exception()) => {
                connections.remove(&id).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(json!({"statusCode": 200}))
}
