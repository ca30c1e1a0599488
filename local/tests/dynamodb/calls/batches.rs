//! `BatchGetItem` and `BatchWriteItem`.

use serde_json::{Value, json};

use super::{Call, calls, key, n, s};

/// The keys of `count` items.
fn keys(count: usize) -> Value {
    (0..count).map(|i| key("b", &format!("{i:03}"))).collect()
}

/// Requests that put `count` items.
fn puts(count: usize) -> Value {
    (0..count).map(|i| json!({"PutRequest": {"Item": key("b", &format!("{i:03}"))}})).collect()
}

pub(crate) fn calls() -> Vec<Call> {
    let put = |pk: &str, sk: &str| json!({"PutRequest": {"Item": key(pk, sk)}});
    let delete = |pk: &str, sk: &str| json!({"DeleteRequest": {"Key": key(pk, sk)}});
    calls! {
        BatchWriteItem {
            "put 25 items" => {"RequestItems": {"items": puts(25)}},
            "put 26 items" => {"RequestItems": {"items": puts(26)}},
            "put into two tables" => {"RequestItems": {
                "items": [put("b", "100")], "counters": [{"PutRequest": {"Item": {"id": s("1")}}}],
            }},
            "put and delete" => {"RequestItems": {"items": [put("b", "101"), delete("b", "100")]}},
            "put the same item twice" => {"RequestItems": {"items": [put("b", "1"), put("b", "1")]}},
            "put and delete the same item" => {
                "RequestItems": {"items": [put("b", "1"), delete("b", "1")]},
            },
            "delete the same item twice" => {
                "RequestItems": {"items": [delete("b", "1"), delete("b", "1")]},
            },
            "put with consumed capacity" => {
                "RequestItems": {"items": [put("b", "1")]}, "ReturnConsumedCapacity": "TOTAL",
            },
            "put no items" => {"RequestItems": {"items": []}},
            "put into no tables" => {"RequestItems": {}},
            "put without requests" => {},
            "an empty write" => {"RequestItems": {"items": [{}]}},
            "a write of both kinds" => {"RequestItems": {"items": [
                {"PutRequest": {"Item": key("b", "1")}, "DeleteRequest": {"Key": key("b", "2")}},
            ]}},
            "a write of an unknown kind" => {"RequestItems": {"items": [{"Update": {}}]}},
            "put an empty key" => {"RequestItems": {"items": [put("b", "1"), put("b", "")]}},
            "delete an empty key" => {"RequestItems": {"items": [delete("", "1")]}},
            "put without the sort key" => {
                "RequestItems": {"items": [{"PutRequest": {"Item": {"pk": s("b")}}}]},
            },
            "put a key of another type" => {
                "RequestItems": {"items": [{"PutRequest": {"Item": {"pk": s("b"), "sk": n("1")}}}]},
            },
            "put an index key of another type" => {"RequestItems": {"items": [
                {"PutRequest": {"Item": {"pk": s("b"), "sk": s("1"), "state": n("1")}}},
            ]}},
            "put an empty set" => {"RequestItems": {"items": [
                {"PutRequest": {"Item": {"pk": s("b"), "sk": s("1"), "v": {"NS": []}}}},
            ]}},
            "delete with an extra key" => {"RequestItems": {"items": [
                {"DeleteRequest": {"Key": {"pk": s("b"), "sk": s("1"), "v": n("1")}}},
            ]}},
            "put into a table that doesn't exist" => {
                "RequestItems": {"items": [put("b", "1")], "nothing": [put("b", "1")]},
            },
            "put an item over 400 KB" => {"RequestItems": {"items": [
                {"PutRequest": {"Item": {
                    "pk": s("b"), "sk": s("big"), "v": s(&"x".repeat(400 * 1024)),
                }}},
            ]}},
            "requests that aren't a list" => {"RequestItems": {"items": {}}},
        }
        BatchGetItem {
            "get some items" => {"RequestItems": {"items": {"Keys": keys(3)}}},
            "get 100 items" => {"RequestItems": {"items": {"Keys": keys(100)}}},
            "get 101 items" => {"RequestItems": {"items": {"Keys": keys(101)}}},
            "get 101 items of two tables" => {"RequestItems": {
                "items": {"Keys": keys(100)}, "counters": {"Keys": [{"id": s("1")}]},
            }},
            "get from two tables" => {"RequestItems": {
                "items": {"Keys": keys(1)}, "counters": {"Keys": [{"id": s("1")}]},
            }},
            "get the same item twice" => {
                "RequestItems": {"items": {"Keys": [key("b", "001"), key("b", "001")]}},
            },
            "get items that don't exist" => {
                "RequestItems": {"items": {"Keys": [key("b", "x"), key("b", "001")]}},
            },
            "get with a projection" => {"RequestItems": {"items": {
                "Keys": keys(1),
                "ProjectionExpression": "#sk",
                "ExpressionAttributeNames": {"#sk": "sk"},
            }}},
            "get consistently with consumed capacity" => {
                "RequestItems": {"items": {"Keys": keys(2), "ConsistentRead": true}},
                "ReturnConsumedCapacity": "TOTAL",
            },
            "get no items" => {"RequestItems": {"items": {"Keys": []}}},
            "get from no tables" => {"RequestItems": {}},
            "get without requests" => {},
            "get without keys" => {"RequestItems": {"items": {}}},
            "get an empty key" => {"RequestItems": {"items": {"Keys": [key("b", "")]}}},
            "get without the sort key" => {"RequestItems": {"items": {"Keys": [{"pk": s("b")}]}}},
            "get with an extra key" => {"RequestItems": {"items": {"Keys": [
                {"pk": s("b"), "sk": s("1"), "v": n("1")},
            ]}}},
            "get a key of another type" => {
                "RequestItems": {"items": {"Keys": [{"pk": s("b"), "sk": n("1")}]}},
            },
            "get from a table that doesn't exist" => {
                "RequestItems": {"items": {"Keys": keys(1)}, "nothing": {"Keys": keys(1)}},
            },
            "get with an unused name" => {"RequestItems": {"items": {
                "Keys": keys(1), "ExpressionAttributeNames": {"#sk": "sk"},
            }}},
            "get with a reserved word" => {
                "RequestItems": {"items": {"Keys": keys(1), "ProjectionExpression": "name"}},
            },
        }
        Scan("counters") {
            "what a refused batch left" => {},
        }
    }
}
