//! The tables of the test. The local cloud creates them from a template, and the test itself in
//! DynamoDB Local.

use serde_json::{Value, json};

/// Returns the bodies of `CreateTable`.
pub(crate) fn definitions() -> Vec<Value> {
    vec![
        items(),
        simple("counters", "id", "S", None),
        simple("numbers", "id", "N", None),
        simple("blobs", "id", "B", None),
        simple("keys-only", "id", "S", Some("KEYS_ONLY")),
        simple("new-images", "id", "S", Some("NEW_IMAGE")),
        simple("old-images", "id", "S", Some("OLD_IMAGE")),
    ]
}

/// A table with a sort key, an index of each kind and projection, a stream and TTL.
fn items() -> Value {
    let key = |hash: &str, range: &str| {
        json!([
            {"AttributeName": hash, "KeyType": "HASH"},
            {"AttributeName": range, "KeyType": "RANGE"},
        ])
    };
    json!({
        "TableName": "items",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": key("pk", "sk"),
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "state", "AttributeType": "S"},
            {"AttributeName": "owner", "AttributeType": "S"},
            {"AttributeName": "price", "AttributeType": "N"},
            {"AttributeName": "created", "AttributeType": "N"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-state",
                "KeySchema": key("state", "price"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by-owner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "by-owner-and-price",
                "KeySchema": key("owner", "price"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]},
            },
        ],
        "LocalSecondaryIndexes": [{
            "IndexName": "by-created",
            "KeySchema": key("pk", "created"),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true},
    })
}

/// A table without a sort key.
fn simple(name: &str, key: &str, key_type: &str, view: Option<&str>) -> Value {
    let mut table = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": key_type}],
    });
    if let Some(view) = view {
        table["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": view});
    }
    table
}
