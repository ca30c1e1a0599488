//! Records every note that is created or removed.

use audit::Audit;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let audit = &Audit::new().await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        for record in event.payload["Records"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let note = text(&record["dynamodb"]["Keys"]["id"]["S"]);
            audit
                .put(&text(&record["eventID"]), &format!("{} {note}", text(&record["eventName"])))
                .await?;
        }
        Ok::<_, Error>(())
    }))
    .await
}
