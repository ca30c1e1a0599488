//! Completes the embedded database's `DescribeStream`, which shows the open shard of an enabled
//! stream as closed and leaves out the table's keys.

use serde_json::{Value, json};

use super::request::Schema;

/// Returns the completed body of a `DescribeStream` response, or `None` if it isn't one.
pub fn completed(schema: &Schema, response: &[u8]) -> Option<Vec<u8>> {
    let mut response: Value = serde_json::from_slice(response).ok()?;
    let stream = response.get_mut("StreamDescription")?;
    if stream["StreamStatus"] == "ENABLED"
        && let Some(open) = stream.get_mut("Shards").and_then(Value::as_array_mut)?.last_mut()
    {
        open["SequenceNumberRange"].as_object_mut()?.remove("EndingSequenceNumber");
    }
    if let Some(keys) = schema.keys(stream["TableName"].as_str()?) {
        let kinds = ["HASH", "RANGE"];
        let element = |(name, kind)| json!({"AttributeName": name, "KeyType": kind});
        stream["KeySchema"] = keys.table.iter().zip(kinds).map(element).collect();
    }
    serde_json::to_vec(&response).ok()
}
