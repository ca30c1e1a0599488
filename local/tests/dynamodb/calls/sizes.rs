//! Limits of size: items, keys, names, nesting.

use serde_json::{Value, json};

use super::{Call, calls, key, n, s};

/// A list in a list in a list, `depth` deep.
fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({"L": []}), |inner, _| json!({"L": [inner]}))
}

pub(crate) fn calls() -> Vec<Call> {
    let limit = 400 * 1024;
    // An item's size is that of its attributes' names and values.
    let rest = limit - ("pk".len() + "z".len() + "sk".len() + "1".len() + "v".len());
    let item = |sk: &str, v: Value| json!({"pk": s("z"), "sk": s(sk), "v": v});
    let x = |count: usize| "x".repeat(count);
    let of_2048 = x(2048);
    let of_1024 = x(1024);
    let name = x(65_536);
    calls! {
        PutItem("items") {
            "an item of 400 KB" => {"Item": item("1", s(&x(rest)))},
            "an item of 400 KB and a byte" => {"Item": item("1", s(&x(rest + 1)))},
            "an item of 400 KB in UTF-8" => {"Item": item("2", s(&"é".repeat(rest / 2)))},
            "an item over 400 KB in UTF-8" => {"Item": item("2", s(&"é".repeat(rest / 2 + 1)))},
            "a partition key of 2048" => {"Item": key(&of_2048, "1")},
            "a partition key of 2049" => {"Item": key(&format!("{of_2048}x"), "1")},
            "a sort key of 1024" => {"Item": key("z", &of_1024)},
            "a sort key of 1025" => {"Item": key("z", &format!("{of_1024}x"))},
            "a sort key of 1024 characters and more bytes" => {"Item": key("z", &"é".repeat(600))},
            "an index key of 2049" => {
                "Item": {
                    "pk": s("z"), "sk": s("3"), "state": s(&format!("{of_2048}x")), "price": n("1"),
                },
            },
            "an index key of 2048" => {
                "Item": {"pk": s("z"), "sk": s("3"), "state": s(&of_2048), "price": n("1")},
            },
            "a list 31 deep" => {"Item": item("4", nested(31))},
            "a list 32 deep" => {"Item": item("4", nested(32))},
            "a list 33 deep" => {"Item": item("4", nested(33))},
            "a name of 65536" => {"Item": {"pk": s("z"), "sk": s("5"), name.as_str(): n("1")}},
            "an empty name" => {"Item": {"pk": s("z"), "sk": s("6"), "": n("1")}},
        }
        UpdateItem("items") {
            "an update to over 400 KB" => {
                "Key": key("z", "1"),
                "UpdateExpression": "SET w = :w",
                "ExpressionAttributeValues": {":w": s("x")},
            },
            "an update of an item that is large" => {
                "Key": key("z", "1"),
                "UpdateExpression": "SET v = :w",
                "ExpressionAttributeValues": {":w": s("x")},
                "ReturnValues": "UPDATED_NEW",
            },
        }
        GetItem("items") {
            "get a partition key of 2049" => {"Key": key(&format!("{of_2048}x"), "1")},
            "get a sort key of 1025" => {"Key": key("z", &format!("{of_1024}x"))},
        }
        Query("items") {
            "query a partition key of 2049" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s(&format!("{of_2048}x"))},
            },
            "query a sort key of 1025" => {
                "KeyConditionExpression": "pk = :pk AND sk > :sk",
                "ExpressionAttributeValues": {":pk": s("z"), ":sk": s(&format!("{of_1024}x"))},
            },
        }
        PutItem("items") {
            "large item 1" => {"Item": {"pk": s("large"), "sk": s("1"), "v": s(&x(350_000))}},
            "large item 2" => {"Item": {"pk": s("large"), "sk": s("2"), "v": s(&x(350_000))}},
            "large item 3" => {"Item": {"pk": s("large"), "sk": s("3"), "v": s(&x(350_000))}},
            "large item 4" => {"Item": {"pk": s("large"), "sk": s("4"), "v": s(&x(350_000))}},
        }
        Query("items") {
            "a page of 1 MB" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("large")},
                "ProjectionExpression": "sk",
            },
        }
    }
}
