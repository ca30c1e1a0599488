//! Finds the values of key attributes in a Query, in its `KeyConditionExpression` or in the legacy
//! `KeyConditions`.

use serde_json::Value;

use super::tokens::tokens;

/// Returns the attribute value (`{"S": "..."}`) that a Query compares `partition_key` with, or
/// `None` for a Scan or for a Query that DynamoDB will reject.
pub fn partition_key_value<'v>(body: &'v Value, partition_key: &str) -> Option<&'v Value> {
    values(body, partition_key).first().copied()
}

/// Returns the attribute values that the condition compares `key` with: one, or two for `BETWEEN`.
pub fn values<'v>(body: &'v Value, key: &str) -> Vec<&'v Value> {
    if let Some(condition) = body.get("KeyConditions").and_then(|c| c.get(key)) {
        return condition["AttributeValueList"].as_array().into_iter().flatten().collect();
    }
    let expression = body.get("KeyConditionExpression").and_then(Value::as_str);
    let tokens = tokens(expression.unwrap_or_default());
    let is_key = |token: &&str| match token.strip_prefix('#') {
        Some(_) => body["ExpressionAttributeNames"][*token] == key,
        None => *token == key,
    };
    let Some(at) = tokens.iter().position(is_key) else { return Vec::new() };
    let token = |i: usize| tokens.get(i).copied().unwrap_or_default();
    // `begins_with(key, :a)`, `key BETWEEN :a AND :b`, `key = :a`.
    let value_positions = match (at.checked_sub(1).map(token), token(at + 1)) {
        (Some("begins_with"), _) => vec![at + 1],
        (_, between) if between.eq_ignore_ascii_case("between") => vec![at + 2, at + 4],
        _ => vec![at + 2],
    };
    let values = body.get("ExpressionAttributeValues");
    value_positions.into_iter().filter_map(|position| values?.get(token(position))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_partition_key_is_found_in_every_form_of_expression() {
        for expression in [
            "pk = :v",
            "#p=:v AND begins_with(sk, :s)",
            "(#p = :v) and (sk BETWEEN :s AND :t)",
            "sk >= :s AND pk = :v",
            "sk = :s AND (pk=:v)",
        ] {
            let body = json!({
                "KeyConditionExpression": expression,
                "ExpressionAttributeNames": {"#p": "pk"},
                "ExpressionAttributeValues": {":v": {"S": "ORDER#1"}, ":s": {"S": "a"}, ":t": {"S": "b"}},
            });
            assert_eq!(
                partition_key_value(&body, "pk"),
                Some(&json!({"S": "ORDER#1"})),
                "{expression}"
            );
        }
    }

    #[test]
    fn the_partition_key_is_found_in_legacy_key_conditions() {
        let body = json!({"KeyConditions": {"pk": {"AttributeValueList": [{"S": "a"}], "ComparisonOperator": "EQ"}}});
        assert_eq!(partition_key_value(&body, "pk"), Some(&json!({"S": "a"})));
    }

    #[test]
    fn a_scan_has_no_partition_key() {
        assert_eq!(partition_key_value(&json!({"TableName": "t"}), "pk"), None);
    }
}
