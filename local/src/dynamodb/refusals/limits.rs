//! Limits of pages of streams, and batches whose writes are ambiguous.

use serde_json::Value;

/// Returns the message of DynamoDB's `ValidationException` if the request is over a limit.
pub fn message(operation: &str, body: &Value) -> Option<String> {
    match operation {
        "ListStreams" => limit(body, 100, "cannot be greater than the maximum allowed size: 100"),
        "DescribeStream" => limit(body, 100, "cannot be greater than the maximum: 100"),
        "GetRecords" => limit(body, 1000, "should be less than or equal to 1000"),
        "BatchWriteItem" => {
            let mut requests = body["RequestItems"].as_object()?.values().flat_map(|requests| {
                requests.as_array().into_iter().flatten().filter_map(Value::as_object)
            });
            requests.any(|request| request.len() > 1).then(|| {
                "Supplied AttributeValue has more than one datatypes set, must contain exactly \
                 one of the supported datatypes"
                    .to_owned()
            })
        }
        _ => None,
    }
}

fn limit(body: &Value, most: i64, complaint: &str) -> Option<String> {
    match body.get("Limit")?.as_i64()? {
        limit if limit < 1 => Some(format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy \
             constraint: Member must have value greater than or equal to 1"
        )),
        limit if limit > most => {
            Some(format!("One or more parameter values were invalid: Limit {complaint}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_out_of_range_are_refused() {
        for (operation, most) in
            [("ListStreams", 100), ("DescribeStream", 100), ("GetRecords", 1000)]
        {
            let with_limit = |limit: i64| message(operation, &json!({"Limit": limit}));
            assert_eq!(with_limit(1), None);
            assert_eq!(with_limit(most), None);
            assert!(with_limit(0).unwrap().contains("'limit'"), "{operation}");
            assert!(with_limit(most + 1).unwrap().contains(&most.to_string()), "{operation}");
            assert_eq!(message(operation, &json!({})), None);
        }
    }

    #[test]
    fn a_write_that_puts_and_deletes_is_refused() {
        let write = json!({"PutRequest": {"Item": {}}, "DeleteRequest": {"Key": {}}});
        let body = json!({"RequestItems": {"items": [write]}});
        assert!(message("BatchWriteItem", &body).is_some());
        let body = json!({"RequestItems": {"items": [{"PutRequest": {"Item": {}}}]}});
        assert_eq!(message("BatchWriteItem", &body), None);
    }
}
