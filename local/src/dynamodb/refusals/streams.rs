//! Streams and shards that don't exist. The embedded database only looks at the table's name in a
//! stream's ARN.

use serde_json::{Value, json};

use super::super::upstream::Upstream;
use super::Refusal;

/// Returns DynamoDB's refusal if the request names a stream or a shard that doesn't exist.
pub async fn refusal(upstream: &Upstream, operation: &str, body: &Value) -> Option<Refusal> {
    if !matches!(operation, "DescribeStream" | "GetShardIterator") {
        return None;
    }
    let arn = body.get("StreamArn")?.as_str()?;
    // If the call fails, the database refuses the request as well.
    let described = upstream.call("DescribeStream", &json!({"StreamArn": arn})).await.ok()?;
    let stream = &described["StreamDescription"];
    let (_, label) = arn.rsplit_once("/stream/")?;
    if stream["StreamLabel"] != label {
        let message = format!("Requested resource not found: Stream: {arn} not found");
        return Some(Refusal::not_found(message));
    }
    let shard = body.get("ShardId")?;
    let mut shards = stream["Shards"].as_array()?.iter();
    let exists = shards.any(|found| found["ShardId"] == *shard);
    (!exists).then(|| Refusal::not_found("Shard does not exist".to_owned()))
}
