//! Corrects answers of the embedded database that differ from DynamoDB's.

use serde_json::{Value, json};

use super::request::Schema;
use super::tokens::attribute;

/// Returns the corrected body of a response, or `None` if it is right as it is.
pub fn corrected(
    schema: &Schema,
    operation: &str,
    request: &Value,
    response: &[u8],
) -> Option<Vec<u8>> {
    let correct = match operation {
        "DescribeStream" => describe_stream,
        "TransactGetItems" => transact_get_items,
        _ => return None,
    };
    let mut response: Value = serde_json::from_slice(response).ok()?;
    correct(schema, request, &mut response)?;
    serde_json::to_vec(&response).ok()
}

/// Shows the last shard of an enabled stream as open, and adds the table's keys.
fn describe_stream(schema: &Schema, _: &Value, response: &mut Value) -> Option<()> {
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
    Some(())
}

/// Removes keys that a projection doesn't name.
fn transact_get_items(schema: &Schema, request: &Value, response: &mut Value) -> Option<()> {
    let gets = request["TransactItems"].as_array()?.iter().map(|item| &item["Get"]);
    for (get, answer) in gets.zip(response["Responses"].as_array_mut()?) {
        let keys = get["TableName"].as_str().and_then(|table| schema.keys(table));
        let item = answer.get_mut("Item").and_then(Value::as_object_mut);
        if let (Some(paths), Some(keys), Some(item)) =
            (get["ProjectionExpression"].as_str(), keys, item)
        {
            let named: Vec<_> = paths.split(',').filter_map(|path| attribute(path, get)).collect();
            item.retain(|name, _| !keys.table.contains(name) || named.contains(&name.as_str()));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Project;
    use crate::testing;

    #[test]
    fn a_projected_transaction_returns_only_the_keys_that_it_names() {
        let tables = vec![testing::table("marketplace")];
        let schema = Schema::new(&Project { tables, ..Project::default() });
        let get = |projection: Value| {
            let names = json!({"#s": "sk"});
            json!({"Get": {
                "TableName": "marketplace",
                "ProjectionExpression": projection,
                "ExpressionAttributeNames": names,
            }})
        };
        let request =
            json!({"TransactItems": [get(json!("v, #s")), get(Value::Null), get(json!("v"))]});
        let item = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "v": {"N": "1"}});
        let response = json!({"Responses": [{"Item": item}, {"Item": item}, {}]}).to_string();
        let corrected = corrected(&schema, "TransactGetItems", &request, response.as_bytes());
        let projected = json!({"sk": {"S": "b"}, "v": {"N": "1"}});
        assert_eq!(
            serde_json::from_slice::<Value>(&corrected.unwrap()).unwrap(),
            json!({"Responses": [{"Item": projected}, {"Item": item}, {}]})
        );
    }
}
