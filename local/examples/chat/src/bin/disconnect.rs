//! Handles `$disconnect`: deletes the connection.

use chat::{Connections, config, connection_id};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let connections = &Connections::new(&config().await)?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        connections.remove(connection_id(&event.payload)).await?;
        Ok::<_, Error>(json!({"statusCode": 200}))
    }))
    .await
}
