//! The function that the tests of `local` run as a real process. Its event decides what it does.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("ECHO_INIT").as_deref() {
        Ok("crash") => {
            eprintln!("ECHO_TABLE is not set");
            std::process::exit(7);
        }
        Ok("hang") => std::future::pending().await,
        _ => lambda_runtime::run(service_fn(handle)).await,
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let number = |key: &str| event.payload[key].as_u64();
    if let Some(ms) = number("sleep_ms") {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if let Some(mb) = number("allocate_mb") {
        // The block is written to, because untouched memory isn't resident.
        let block = vec![1_u8; usize::try_from(mb)? << 20];
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(block);
    }
    if let Some(status) = number("exit") {
        std::process::exit(i32::try_from(status)?);
    }
    if let Some(bytes) = number("reply_bytes") {
        return Ok(Value::String("x".repeat(usize::try_from(bytes)?)));
    }
    if event.payload["die_when_idle"] == true {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            std::process::exit(0);
        });
    }
    if let Some(message) = event.payload["fail"].as_str() {
        return Err(message.into());
    }
    assert!(event.payload["panic"] != true, "the event requested a panic");
    Ok(json!({
        "event": event.payload,
        "pid": std::process::id(),
        "request_id": event.context.request_id,
        "arn": event.context.invoked_function_arn,
        "deadline": event.context.deadline,
        "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
    }))
}
