//! Rejects empty key values where DynamoDB does but the embedded database doesn't: in key
//! conditions, start keys and `TransactGetItems`. The messages are those of DynamoDB Local.

use serde_json::Value;

use super::super::key_condition;
use super::super::request::{Keys, Schema};

/// Returns the message of DynamoDB's `ValidationException` if the request has an empty key value.
pub fn message(schema: &Schema, operation: &str, body: &Value) -> Option<String> {
    match operation {
        "TransactGetItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            items.filter_map(|item| item.get("Get")).find_map(|get| {
                let keys = schema.keys(get["TableName"].as_str()?)?;
                keys.table
                    .iter()
                    .find_map(|key| empty_value_message(get["Key"].get(key)?, key, None))
            })
        }
        "Query" | "Scan" => {
            let keys = schema.keys(body["TableName"].as_str()?)?;
            let index = body["IndexName"].as_str();
            in_conditions(&keys, index, body).or_else(|| in_start_key(&keys, index, body))
        }
        _ => None,
    }
}

fn in_conditions(keys: &Keys<'_>, index: Option<&str>, body: &Value) -> Option<String> {
    let names = match index {
        Some(index) => keys.index(index)?,
        None => keys.table,
    };
    names.iter().find_map(|key| {
        let mut values = key_condition::values(body, key).into_iter();
        values.find_map(|value| empty_value_message(value, key, index))
    })
}

fn in_start_key(keys: &Keys<'_>, index: Option<&str>, body: &Value) -> Option<String> {
    let start = body.get("ExclusiveStartKey")?;
    let in_table_key =
        || keys.table.iter().find_map(|key| empty_value_message(start.get(key)?, key, None));
    let in_index_key = || {
        let names = keys.index(index?)?;
        names.iter().find_map(|key| empty_value_message(start.get(key)?, key, index))
    };
    let message = in_table_key().or_else(in_index_key)?;
    Some(format!("The provided starting key is invalid: {message}"))
}

/// Returns the error message if `value`, the value of the key `name`, is an empty string or binary.
fn empty_value_message(value: &Value, name: &str, index: Option<&str>) -> Option<String> {
    let kind = match value.as_object()?.iter().next()? {
        (kind, value) if kind == "S" && value == "" => "string",
        (kind, value) if kind == "B" && value == "" => "binary",
        _ => return None,
    };
    let (index_note, location) = match index {
        Some(index) => (
            "A value specified for a secondary index key is not supported. ",
            format!("IndexName: {index}, IndexKey: {name}"),
        ),
        None => ("", format!("Key: {name}")),
    };
    Some(format!(
        "One or more parameter values are not valid. {index_note}The AttributeValue for a key \
         attribute cannot contain an empty {kind} value. {location}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Project;
    use crate::testing;

    fn message_for(operation: &str, body: Value) -> Option<String> {
        let tables = vec![testing::table("marketplace")];
        message(&Schema::new(&Project { tables, ..Project::default() }), operation, &body)
    }

    fn query(condition: &str, extra: Value) -> Option<String> {
        let mut body = json!({
            "TableName": "marketplace",
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": {"#sk": "sk", "#state": "state"},
            "ExpressionAttributeValues": {":a": {"S": "a"}, ":e": {"S": ""}, ":b": {"B": ""}},
        });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        message_for("Query", body)
    }

    const SORT_KEY: &str = "One or more parameter values are not valid. The AttributeValue for a \
                            key attribute cannot contain an empty string value. Key: sk";

    #[test]
    fn an_empty_value_in_a_key_condition_is_rejected() {
        for condition in [
            "pk = :a AND sk = :e",
            "pk = :a AND #sk > :e",
            "pk = :a AND sk BETWEEN :e AND :a",
            "pk = :a AND sk between :a and :e",
            "pk = :a AND begins_with(#sk, :e)",
            "begins_with ( sk , :e ) and (pk = :a)",
        ] {
            assert_eq!(query(condition, json!({})).as_deref(), Some(SORT_KEY), "{condition}");
        }
        let partition_key = query("pk = :e", json!({})).unwrap();
        assert!(partition_key.ends_with("empty string value. Key: pk"), "{partition_key}");
        let binary = query("pk = :a AND sk = :b", json!({})).unwrap();
        assert!(binary.ends_with("empty binary value. Key: sk"), "{binary}");
        let conditions = json!({
            "pk": {"AttributeValueList": [{"S": "a"}], "ComparisonOperator": "EQ"},
            "sk": {"AttributeValueList": [{"S": "a"}, {"S": ""}], "ComparisonOperator": "BETWEEN"},
        });
        let legacy = json!({"TableName": "marketplace", "KeyConditions": conditions});
        assert_eq!(message_for("Query", legacy).as_deref(), Some(SORT_KEY));
    }

    #[test]
    fn the_message_names_the_index() {
        let index = json!({"IndexName": "by-state"});
        assert_eq!(
            query("#state = :e", index.clone()).unwrap(),
            "One or more parameter values are not valid. A value specified for a secondary index \
             key is not supported. The AttributeValue for a key attribute cannot contain an empty \
             string value. IndexName: by-state, IndexKey: state"
        );
        // `pk` isn't a key of this index.
        assert_eq!(query("#state = :a AND sk > :a", index), None);
    }

    #[test]
    fn an_empty_value_in_a_start_key_is_rejected() {
        let start = json!({"ExclusiveStartKey": {"pk": {"S": "a"}, "sk": {"S": ""}}});
        let expected = format!("The provided starting key is invalid: {SORT_KEY}");
        assert_eq!(query("pk = :a", start.clone()).unwrap(), expected);
        let mut scan = start;
        scan["TableName"] = "marketplace".into();
        assert_eq!(message_for("Scan", scan).unwrap(), expected);
        let start = json!({"pk": {"S": "a"}, "sk": {"S": "a"}, "state": {"S": ""}});
        let extra = json!({"IndexName": "by-state", "ExclusiveStartKey": start});
        let message = query("#state = :a", extra).unwrap();
        assert!(message.ends_with("IndexName: by-state, IndexKey: state"), "{message}");
    }

    #[test]
    fn an_empty_key_in_transact_get_items_is_rejected() {
        let get = |sk: &str| {
            let key = json!({"pk": {"S": "a"}, "sk": {"S": sk}});
            json!({"Get": {"TableName": "marketplace", "Key": key}})
        };
        let body = json!({"TransactItems": [get("b"), get("")]});
        assert_eq!(message_for("TransactGetItems", body).as_deref(), Some(SORT_KEY));
        assert_eq!(message_for("TransactGetItems", json!({"TransactItems": [get("b")]})), None);
    }

    #[test]
    fn an_empty_value_outside_of_keys_is_allowed() {
        let filter = json!({"FilterExpression": "text <> :e"});
        assert_eq!(query("pk = :a AND sk > :a", filter), None);
        assert_eq!(message_for("Scan", json!({"TableName": "marketplace"})), None);
        assert_eq!(message_for("Query", json!({"TableName": "unknown"})), None);
    }
}
