//! Counts the changes, and stores the number if the event has `"store": true`.

use audit::Audit;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let audit = &Audit::new().await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let changes = audit.count().await?;
        if event.payload["store"] == true {
            audit.put("count", &changes.to_string()).await?;
        }
        Ok::<_, Error>(json!({"changes": changes}))
    }))
    .await
}
