//! `TransactWriteItems` and `TransactGetItems`.

use serde_json::{Value, json};

use super::{Call, calls, key, n, s};

/// A `Put` of an item.
fn put(pk: &str, sk: &str) -> Value {
    json!({"Put": {"TableName": "items", "Item": key(pk, sk)}})
}

/// A `Put` that fails if the item exists.
fn create(pk: &str, sk: &str) -> Value {
    let condition = "attribute_not_exists(pk)";
    json!({"Put": {
        "TableName": "items", "Item": key(pk, sk), "ConditionExpression": condition,
    }})
}

/// A `Delete` of an item.
fn delete(pk: &str, sk: &str) -> Value {
    json!({"Delete": {"TableName": "items", "Key": key(pk, sk)}})
}

/// A `ConditionCheck` that an item exists.
fn check(pk: &str, sk: &str) -> Value {
    json!({"ConditionCheck": {
        "TableName": "items", "Key": key(pk, sk), "ConditionExpression": "attribute_exists(pk)",
    }})
}

/// An `Update` that counts.
fn count(pk: &str, sk: &str) -> Value {
    json!({"Update": {
        "TableName": "items",
        "Key": key(pk, sk),
        "UpdateExpression": "ADD v :one",
        "ExpressionAttributeValues": {":one": n("1")},
    }})
}

/// A `Get` of an item.
fn get(pk: &str, sk: &str) -> Value {
    json!({"Get": {"TableName": "items", "Key": key(pk, sk)}})
}

/// An item with one of its members replaced.
fn with(mut item: Value, member: &str, value: Value) -> Value {
    let part = item.as_object_mut().unwrap().values_mut().next().unwrap();
    part[member] = value;
    item
}

/// Puts of `count` items.
fn puts(count: usize) -> Value {
    (0..count).map(|i| put("many", &i.to_string())).collect()
}

/// Gets of `count` items.
fn gets(count: usize) -> Value {
    (0..count).map(|i| get("many", &i.to_string())).collect()
}

pub(crate) fn calls() -> Vec<Call> {
    let big = |sk: &str| {
        let text = s(&"x".repeat(399 * 1024));
        json!({"Put": {"TableName": "items", "Item": {"pk": s("big"), "sk": s(sk), "v": text}}})
    };
    let over_4_mb: Value = (0..11).map(|i| big(&i.to_string())).collect();
    calls! {
        TransactWriteItems {
            "every kind of write" => {
                "TransactItems": [put("t", "1"), count("t", "2"), delete("t", "3")],
            },
            "a check that holds" => {"TransactItems": [check("t", "1"), count("t", "2")]},
            "a check that fails" => {"TransactItems": [check("t", "9"), count("t", "2")]},
            "the second of three fails" => {
                "TransactItems": [put("t", "4"), create("t", "1"), put("t", "5")],
            },
            "a failure that returns the item" => {"TransactItems": [
                put("t", "4"),
                with(create("t", "2"), "ReturnValuesOnConditionCheckFailure", json!("ALL_OLD")),
            ]},
            "a check that fails and returns the item" => {"TransactItems": [
                with(
                    with(check("t", "2"), "ConditionExpression", json!("attribute_exists(q)")),
                    "ReturnValuesOnConditionCheckFailure", json!("ALL_OLD"),
                ),
            ]},
            "two failures" => {"TransactItems": [create("t", "1"), put("t", "4"), check("t", "9")]},
            "100 writes" => {"TransactItems": puts(100)},
            "101 writes" => {"TransactItems": puts(101)},
            "no writes" => {"TransactItems": []},
            "no list of writes" => {},
            "an empty write" => {"TransactItems": [{}]},
            "a write of two kinds" => {"TransactItems": [{
                "Put": {"TableName": "items", "Item": key("t", "4")},
                "Delete": {"TableName": "items", "Key": key("t", "5")},
            }]},
            "a write of an unknown kind" => {"TransactItems": [{"Get": {"TableName": "items"}}]},
            "the same item twice" => {"TransactItems": [put("t", "1"), delete("t", "1")]},
            "the same item checked and written" => {
                "TransactItems": [check("t", "1"), count("t", "1")],
            },
            "a check without a condition" => {"TransactItems": [
                {"ConditionCheck": {"TableName": "items", "Key": key("t", "1")}},
            ]},
            "an update without an expression" => {"TransactItems": [
                {"Update": {"TableName": "items", "Key": key("t", "1")}},
            ]},
            "a put without an item" => {"TransactItems": [{"Put": {"TableName": "items"}}]},
            "a write without a table" => {"TransactItems": [{"Put": {"Item": key("t", "1")}}]},
            "put an empty key" => {"TransactItems": [put("t", "1"), put("t", "")]},
            "delete an empty key" => {"TransactItems": [delete("", "1")]},
            "check an empty key" => {"TransactItems": [check("t", "")]},
            "update an empty key" => {"TransactItems": [count("t", "")]},
            "put without the sort key" => {"TransactItems": [
                {"Put": {"TableName": "items", "Item": {"pk": s("t")}}},
            ]},
            "put a key of another type" => {"TransactItems": [
                {"Put": {"TableName": "items", "Item": {"pk": s("t"), "sk": n("1")}}},
            ]},
            "put an index key of another type" => {"TransactItems": [
                put("t", "6"),
                {"Put": {
                    "TableName": "items", "Item": {"pk": s("t"), "sk": s("7"), "state": n("1")},
                }},
            ]},
            "put an empty index key" => {"TransactItems": [
                {"Put": {
                    "TableName": "items", "Item": {"pk": s("t"), "sk": s("7"), "state": s("")},
                }},
            ]},
            "update an index key to another type" => {"TransactItems": [
                with(
                    with(count("t2", "1"), "UpdateExpression", json!("SET price = :one")),
                    "ExpressionAttributeValues", json!({":one": s("1")}),
                ),
            ]},
            "an update that can't be made" => {"TransactItems": [
                put("t", "6"),
                with(
                    with(count("t", "2"), "UpdateExpression", json!("SET a = nothing")),
                    "ExpressionAttributeValues", json!(null),
                ),
            ]},
            "delete with an extra key" => {"TransactItems": [
                {"Delete": {"TableName": "items", "Key": {"pk": s("t"), "sk": s("1"), "v": n("1")}}},
            ]},
            "a table that doesn't exist" => {"TransactItems": [
                put("t", "6"), {"Put": {"TableName": "nothing", "Item": key("t", "1")}},
            ]},
            "a malformed condition" => {"TransactItems": [
                put("t", "6"), with(put("t", "7"), "ConditionExpression", json!("pk =")),
            ]},
            "a reserved word" => {"TransactItems": [
                with(put("t", "7"), "ConditionExpression", json!("attribute_exists(name)")),
            ]},
            "an undefined value" => {"TransactItems": [
                with(put("t", "7"), "ConditionExpression", json!("a = :a")),
            ]},
            "an unused value" => {"TransactItems": [
                with(create("t", "7"), "ExpressionAttributeValues", json!({":a": n("1")})),
            ]},
            "an update of a key" => {"TransactItems": [
                with(count("t", "2"), "UpdateExpression", json!("ADD sk :one")),
            ]},
            "an item over 400 KB" => {"TransactItems": [
                with(put("t", "8"), "Item", json!({
                    "pk": s("t"), "sk": s("8"), "v": s(&"x".repeat(400 * 1024)),
                })),
            ]},
            "over 4 MB in total" => {"TransactItems": over_4_mb},
            "consumed capacity" => {
                "TransactItems": [put("t", "6")], "ReturnConsumedCapacity": "TOTAL",
            },
            "a client token" => {"TransactItems": [count("t", "2")], "ClientRequestToken": "token-1"},
            "a client token again" => {
                "TransactItems": [count("t", "2")], "ClientRequestToken": "token-1",
            },
            "a client token with another content" => {
                "TransactItems": [count("t", "3")], "ClientRequestToken": "token-1",
            },
            "a client token with another parameter" => {
                "TransactItems": [count("t", "2")],
                "ClientRequestToken": "token-1",
                "ReturnConsumedCapacity": "TOTAL",
            },
            "an empty client token" => {
                "TransactItems": [count("t", "2")], "ClientRequestToken": "",
            },
            "a client token of 37 characters" => {
                "TransactItems": [count("t", "2")], "ClientRequestToken": ("x".repeat(37)),
            },
            "a client token of a failed transaction" => {
                "TransactItems": [create("t", "1")], "ClientRequestToken": "token-2",
            },
            "a client token of a failed transaction again" => {
                "TransactItems": [create("t", "1")], "ClientRequestToken": "token-2",
            },
            "a client token of a failed transaction with another content" => {
                "TransactItems": [create("t", "10")], "ClientRequestToken": "token-2",
            },
        }
        TransactGetItems {
            "get items" => {"TransactItems": [get("t", "1"), get("t", "2"), get("t", "nothing")]},
            "get the same item twice" => {"TransactItems": [get("t", "1"), get("t", "1")]},
            "get with a projection" => {"TransactItems": [
                with(get("t", "2"), "ProjectionExpression", json!("v")),
            ]},
            "get with a projection of nothing" => {"TransactItems": [
                with(get("t", "2"), "ProjectionExpression", json!("nothing")),
            ]},
            "get with a reserved word" => {"TransactItems": [
                with(get("t", "2"), "ProjectionExpression", json!("name")),
            ]},
            "get 100 items" => {"TransactItems": gets(100)},
            "get 101 items" => {"TransactItems": gets(101)},
            "get nothing" => {"TransactItems": []},
            "get without a list" => {},
            "an empty get" => {"TransactItems": [{}]},
            "a get without a key" => {"TransactItems": [{"Get": {"TableName": "items"}}]},
            "a get without a table" => {"TransactItems": [{"Get": {"Key": key("t", "1")}}]},
            "get an empty partition key" => {"TransactItems": [get("", "1")]},
            "get an empty sort key" => {"TransactItems": [get("t", "1"), get("t", "")]},
            "get without the sort key" => {"TransactItems": [
                {"Get": {"TableName": "items", "Key": {"pk": s("t")}}},
            ]},
            "get with an extra key" => {"TransactItems": [
                {"Get": {"TableName": "items", "Key": {"pk": s("t"), "sk": s("1"), "v": n("1")}}},
            ]},
            "get a key of another type" => {"TransactItems": [
                {"Get": {"TableName": "items", "Key": {"pk": s("t"), "sk": n("1")}}},
            ]},
            "get from a table that doesn't exist" => {"TransactItems": [
                {"Get": {"TableName": "nothing", "Key": key("t", "1")}},
            ]},
            "get with consumed capacity" => {
                "TransactItems": [get("t", "1")], "ReturnConsumedCapacity": "TOTAL",
            },
        }
        Query("items") {
            "what the transactions left" => {
                "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": s("t")},
            },
        }
    }
}
