//! Serves `GET /todos`, `POST /todos` and `DELETE /todos/{id}`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::{Builder, tls};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(ring).build_https())
        .load()
        .await;
    let client = Client::new(&config);
    let table = std::env::var("TABLE_NAME")?;
    lambda_runtime::run(service_fn(|event| handle(&client, &table, event))).await
}

async fn handle(client: &Client, table: &str, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let event = event.payload;
    Ok(match event["routeKey"].as_str() {
        Some("GET /todos") => {
            let items = client.scan().table_name(table).send().await?;
            let todos: Vec<Value> = items
                .items()
                .iter()
                .map(|item| json!({"id": item["id"].as_s().ok(), "text": item["text"].as_s().ok()}))
                .collect();
            reply(200, &json!(todos))
        }
        Some("POST /todos") => {
            let body: Value = serde_json::from_str(event["body"].as_str().unwrap_or_default())?;
            let Some(text) = body["text"].as_str().filter(|text| !text.is_empty()) else {
                return Ok(reply(400, &json!({"message": "text is missing"})));
            };
            let id = event["requestContext"]["requestId"].as_str().unwrap_or_default();
            client
                .put_item()
                .table_name(table)
                .item("id", AttributeValue::S(id.to_owned()))
                .item("text", AttributeValue::S(text.to_owned()))
                .send()
                .await?;
            reply(201, &json!({"id": id, "text": text}))
        }
        Some("DELETE /todos/{id}") => {
            let id = event["pathParameters"]["id"].as_str().unwrap_or_default();
            let key = AttributeValue::S(id.to_owned());
            client.delete_item().table_name(table).key("id", key).send().await?;
            reply(204, &Value::Null)
        }
        other => reply(404, &json!({"message": format!("no route {other:?}")})),
    })
}

fn reply(status: u16, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    json!({"statusCode": status, "headers": {"content-type": "application/json"}, "body": body})
}
