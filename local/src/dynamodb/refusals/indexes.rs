//! Queries of global indexes for attributes that they don't carry, and keys that are too long.

use data_encoding::BASE64;
use serde_json::Value;

use super::super::key_condition;
use super::super::request::{Keys, Schema};
use super::super::tokens::{attribute, tokens};

/// Words in filters that aren't attributes.
const KEYWORDS: [&str; 11] = [
    "AND",
    "BETWEEN",
    "IN",
    "NOT",
    "OR",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
];

/// The longest partition key and sort key, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LONGEST_KEYS: [usize; 2] = [2048, 1024];

/// Returns the message of DynamoDB's `ValidationException` if an index can't answer a query, or if
/// a key is too long for an index.
pub fn message(schema: &Schema, operation: &str, body: &Value) -> Option<String> {
    match operation {
        "Query" => {
            let keys = schema.keys(body["TableName"].as_str()?)?;
            long_condition(&keys, body)
                .or_else(|| not_carried(&keys, body))
                .or_else(|| filter_not_carried(&keys, body))
        }
        "Scan" => not_carried(&schema.keys(body["TableName"].as_str()?)?, body),
        "PutItem" => long_index_key(&schema.keys(body["TableName"].as_str()?)?, &body["Item"]),
        "BatchWriteItem" => {
            body["RequestItems"].as_object()?.iter().find_map(|(table, requests)| {
                let keys = schema.keys(table)?;
                let mut items =
                    requests.as_array()?.iter().filter_map(|r| r.pointer("/PutRequest/Item"));
                items.find_map(|item| long_index_key(&keys, item))
            })
        }
        _ => None,
    }
}

/// A projection of attributes that the index doesn't carry.
fn not_carried(keys: &Keys<'_>, body: &Value) -> Option<String> {
    let expression = body["ProjectionExpression"].as_str().unwrap_or_default();
    let legacy = body["AttributesToGet"].as_array().into_iter().flatten();
    let names = expression.split(',').chain(legacy.filter_map(Value::as_str));
    let (index, missing) = missing(keys, body, names)?;
    Some(format!(
        "One or more parameter values were invalid: Global secondary index {index} does not \
         project [{missing}]"
    ))
}

/// A filter by attributes that the index doesn't carry.
fn filter_not_carried(keys: &Keys<'_>, body: &Value) -> Option<String> {
    let expression = body["FilterExpression"].as_str().unwrap_or_default();
    let is_name = |token: &&str| {
        token.starts_with(|c: char| c.is_alphabetic() || c == '#')
            && !KEYWORDS.iter().any(|keyword| token.eq_ignore_ascii_case(keyword))
    };
    let legacy =
        body["QueryFilter"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let names = tokens(expression).into_iter().filter(is_name).chain(legacy);
    let (index, missing) = missing(keys, body, names)?;
    Some(format!(
        "One or more parameter values were invalid: Secondary index {index} does not project one \
         or more filter attributes: [{missing}]"
    ))
}

/// Returns the name of the request's index, and those of the attributes in `paths` that it doesn't
/// carry.
fn missing<'v>(
    keys: &Keys<'_>,
    body: &'v Value,
    paths: impl Iterator<Item = &'v str>,
) -> Option<(&'v str, String)> {
    let name = body["IndexName"].as_str()?;
    let index = keys.indexes.get(name)?;
    let carried = index.carried.as_ref()?;
    let is_carried = |attribute: &str| {
        let mut attributes = carried.iter().chain(&index.keys).chain(keys.table);
        attributes.any(|carried| carried == attribute)
    };
    let mut missing: Vec<&str> = paths
        .filter_map(|path| attribute(path, body))
        .filter(|attribute| !is_carried(attribute))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    (!missing.is_empty()).then(|| (name, missing.join(", ")))
}

/// A condition on a sort key with a value that no sort key can have.
fn long_condition(keys: &Keys<'_>, body: &Value) -> Option<String> {
    let names = match body["IndexName"].as_str() {
        Some(index) => keys.index(index)?,
        None => keys.table,
    };
    let values = key_condition::values(body, names.get(1)?);
    values.into_iter().any(|value| length(value) > LONGEST_KEYS[1]).then(|| {
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded \
         the size limit of 1024 bytes"
            .to_owned()
    })
}

/// An item with a key of an index that is too long.
fn long_index_key(keys: &Keys<'_>, item: &Value) -> Option<String> {
    let is_long = |names: &[String]| {
        let mut limits = names.iter().zip(LONGEST_KEYS);
        limits.any(|(name, limit)| item.get(name).is_some_and(|value| length(value) > limit))
    };
    keys.indexes
        .values()
        .any(|index| is_long(&index.keys))
        .then(|| "One or more parameter values were invalid: Size limit exceeded".to_owned())
}

/// Returns the length of a string or binary in bytes.
fn length(value: &Value) -> usize {
    let binary = || BASE64.decode(value.get("B")?.as_str()?.as_bytes()).ok().map(|b| b.len());
    let string = value.get("S").and_then(Value::as_str).map(str::len);
    string.or_else(binary).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Project;
    use crate::testing;

    /// A table whose index carries its keys and `title`.
    fn schema() -> Schema {
        let mut table = testing::table("marketplace");
        table.properties["GlobalSecondaryIndexes"][0]["Projection"] =
            json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]});
        Schema::new(&Project { tables: vec![table], ..Project::default() })
    }

    fn query(extra: Value) -> Option<String> {
        let mut body = json!({"TableName": "marketplace", "IndexName": "by-state"});
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        message(&schema(), "Query", &body)
    }

    #[test]
    fn a_projection_of_attributes_that_the_index_does_not_carry_is_refused() {
        let expected = "One or more parameter values were invalid: Global secondary index by-state \
                        does not project [text]";
        for projection in ["pk, text", "title,text.a", "#t[0], state", "text, text"] {
            let names = json!({"#t": "text"});
            let extra =
                json!({"ProjectionExpression": projection, "ExpressionAttributeNames": names});
            assert_eq!(query(extra).as_deref(), Some(expected), "{projection}");
        }
        assert_eq!(query(json!({"AttributesToGet": ["text"]})).as_deref(), Some(expected));
        assert_eq!(query(json!({"ProjectionExpression": "pk, sk, state, title.a"})), None);
        let table = json!({"TableName": "marketplace", "ProjectionExpression": "text"});
        assert_eq!(message(&schema(), "Query", &table), None);
    }

    #[test]
    fn a_filter_by_attributes_that_the_index_does_not_carry_is_refused() {
        let filter = "attribute_exists(text) AND size(title) > :n or not title IN (:a, :b)";
        assert_eq!(
            query(json!({"FilterExpression": filter})).unwrap(),
            "One or more parameter values were invalid: Secondary index by-state does not project \
             one or more filter attributes: [text]"
        );
        assert_eq!(query(json!({"FilterExpression": "begins_with(title, :a) AND pk > :b"})), None);
    }

    #[test]
    fn keys_that_are_too_long_for_an_index_are_refused() {
        let put = |state: &str, sk: &str| {
            let item = json!({"pk": {"S": "a"}, "sk": {"S": sk}, "state": {"S": state}});
            message(&schema(), "PutItem", &json!({"TableName": "marketplace", "Item": item}))
        };
        assert_eq!(put(&"x".repeat(2048), &"x".repeat(1024)), None);
        assert!(put(&"x".repeat(2049), "a").is_some());
        assert!(put("a", &"é".repeat(513)).is_some());
    }
}
