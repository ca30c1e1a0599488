//! Finds the partition key's value in a Query: in its `KeyConditionExpression`, or in the older
//! `KeyConditions`.

use serde_json::Value;

/// The attribute value (`{"S": "..."}`) that a Query gives for `partition_key`; `None` for a Scan,
/// or a Query that DynamoDB will refuse.
pub fn partition_key_value<'v>(body: &'v Value, partition_key: &str) -> Option<&'v Value> {
    if let Some(condition) = body.get("KeyConditions").and_then(|c| c.get(partition_key)) {
        return condition.get("AttributeValueList")?.get(0);
    }
    let tokens = tokens(body.get("KeyConditionExpression")?.as_str()?);
    let is_key = |token: &str| match token.strip_prefix('#') {
        Some(_) => {
            body.pointer("/ExpressionAttributeNames").and_then(|n| n.get(token)?.as_str())
                == Some(partition_key)
        }
        None => token == partition_key,
    };
    // `pk = :v` is the only form there is for a partition key.
    let value = tokens
        .windows(3)
        .find(|w| w[1] == "=" && w[2].starts_with(':') && is_key(w[0]))
        .map(|w| w[2])?;
    body.get("ExpressionAttributeValues")?.get(value)
}

/// Names, placeholders and operators of an expression. Parentheses and commas tell nothing here.
fn tokens(expression: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '#' | ':' | '.' | '-');
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let belongs: &dyn Fn(char) -> bool =
            if is_word(first) { &is_word } else { &|c| matches!(c, '<' | '=' | '>') };
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        match end {
            0 => rest = &rest[first.len_utf8()..],
            _ => {
                tokens.push(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_partition_key_is_found_in_every_spelling() {
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
