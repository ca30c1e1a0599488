//! Operations on tables, and what there is beside tables: TTL, tags, backups, limits.

use serde_json::{Value, json};

use super::{Call, calls, key};

/// The body of a `CreateTable`, with some members replaced.
fn table(name: &str, replaced: Value) -> Value {
    let mut body = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    });
    for (member, value) in replaced.as_object().unwrap() {
        body[member] = value.clone();
    }
    body
}

pub(crate) fn calls() -> Vec<Call> {
    let index = |name: &str| {
        json!({
            "IndexName": name,
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        })
    };
    let owner = json!([
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "owner", "AttributeType": "S"},
    ]);
    calls! {
        CreateTable {
            "create a table" => (table("created", json!({}))),
            "create it again" => (table("created", json!({}))),
            "create with an index" => (table("indexed", json!({
                "AttributeDefinitions": owner, "GlobalSecondaryIndexes": [index("by-owner")],
            }))),
            "create with provisioned capacity" => (table("provisioned", json!({
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            }))),
            "create with provisioned capacity that isn't given" => (
                table("refused", json!({"BillingMode": "PROVISIONED"}))
            ),
            "create on demand with provisioned capacity" => (table("refused", json!({
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            }))),
            "create with an unused attribute" => (
                table("refused", json!({"AttributeDefinitions": owner}))
            ),
            "create with an undefined key" => (
                table("refused", json!({"AttributeDefinitions": []}))
            ),
            "create with an unknown key type" => (table("refused", json!({
                "KeySchema": [{"AttributeName": "id", "KeyType": "MAIN"}],
            }))),
            "create with an unknown attribute type" => (table("refused", json!({
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "BOOL"}],
            }))),
            "create without a partition key" => (table("refused", json!({
                "KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}],
            }))),
            "create without a key schema" => (table("refused", json!({"KeySchema": []}))),
            "create with two partition keys" => (table("refused", json!({
                "AttributeDefinitions": owner,
                "KeySchema": [
                    {"AttributeName": "id", "KeyType": "HASH"},
                    {"AttributeName": "owner", "KeyType": "HASH"},
                ],
            }))),
            "create with a short name" => (table("ab", json!({}))),
            "create with a malformed name" => (table("a/b", json!({}))),
            "create with two indexes of one name" => (table("refused", json!({
                "AttributeDefinitions": owner,
                "GlobalSecondaryIndexes": [index("by-owner"), index("by-owner")],
            }))),
            "create with 21 indexes" => (table("refused", json!({
                "AttributeDefinitions": owner,
                "GlobalSecondaryIndexes":
                    (0..21).map(|i| index(&format!("index-{i}"))).collect::<Vec<_>>(),
            }))),
            "create with an empty list of indexes" => (
                table("refused", json!({"GlobalSecondaryIndexes": []}))
            ),
            "create with a local index without a sort key" => (table("refused", json!({
                "AttributeDefinitions": owner, "LocalSecondaryIndexes": [index("by-owner")],
            }))),
            "create with a stream without a view" => (
                table("refused", json!({"StreamSpecification": {"StreamEnabled": true}}))
            ),
            "create without a stream but with a view" => (table("refused", json!({
                "StreamSpecification": {"StreamEnabled": false, "StreamViewType": "KEYS_ONLY"},
            }))),
            "create with an unknown view" => (table("refused", json!({
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "IMAGES"},
            }))),
            "create with an unknown billing mode" => (
                table("refused", json!({"BillingMode": "FREE"}))
            ),
        }
        DescribeTable("items") {
            "describe a table" => {},
        }
        DescribeTable("created") {
            "describe a created table" => {},
        }
        DescribeTable {
            "describe a table that doesn't exist" => {"TableName": "nothing"},
            "describe nothing" => {},
            "describe a malformed name" => {"TableName": "a/b"},
        }
        ListTables {
            "list tables" => {},
            "list two tables" => {"Limit": 2},
            "list after a table" => {"ExclusiveStartTableName": "items", "Limit": 1},
            "list with a limit of 0" => {"Limit": 0},
            "list with a limit of 101" => {"Limit": 101},
        }
        UpdateTable("created") {
            "update nothing" => {},
            "enable a stream" => {
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
            },
            "enable a stream again" => {
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
            },
            "change the view of a stream" => {
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
            },
            "disable a stream" => {"StreamSpecification": {"StreamEnabled": false}},
            "disable a stream again" => {"StreamSpecification": {"StreamEnabled": false}},
            "delete an index that doesn't exist" => {
                "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "nothing"}}],
            },
            "add an index without its attribute" => {
                "GlobalSecondaryIndexUpdates": [{"Create": index("by-owner")}],
            },
            "add and delete an index" => {
                "AttributeDefinitions": owner,
                "GlobalSecondaryIndexUpdates": [
                    {"Create": index("by-owner")}, {"Delete": {"IndexName": "other"}},
                ],
            },
            "an empty list of changes" => {"GlobalSecondaryIndexUpdates": []},
            "an empty change" => {"GlobalSecondaryIndexUpdates": [{}]},
            "protect a table" => {"DeletionProtectionEnabled": true},
        }
        UpdateTable("nothing") {
            "update a table that doesn't exist" => {"BillingMode": "PAY_PER_REQUEST"},
        }
        DeleteTable("created") {
            "delete a protected table" => {},
        }
        UpdateTable("created") {
            "stop protecting a table" => {"DeletionProtectionEnabled": false},
        }
        DeleteTable("created") {
            "delete a table" => {},
        }
        GetItem("created") {
            "get from a deleted table" => {"Key": {"id": {"S": "1"}}},
        }
        DeleteTable("nothing") {
            "delete a table that doesn't exist" => {},
        }
        DescribeTimeToLive("items") {
            "describe TTL" => {},
        }
        DescribeTimeToLive("counters") {
            "describe TTL that was never enabled" => {},
        }
        DescribeTimeToLive("nothing") {
            "describe TTL of a table that doesn't exist" => {},
        }
        UpdateTimeToLive("items") {
            "enable TTL again" => {
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true},
            },
            "enable TTL on another attribute" => {
                "TimeToLiveSpecification": {"AttributeName": "other", "Enabled": true},
            },
            "disable TTL on another attribute" => {
                "TimeToLiveSpecification": {"AttributeName": "other", "Enabled": false},
            },
            "TTL with an empty attribute" => {
                "TimeToLiveSpecification": {"AttributeName": "", "Enabled": true},
            },
            "TTL without a specification" => {},
            "TTL without Enabled" => {"TimeToLiveSpecification": {"AttributeName": "expires_at"}},
        }
        UpdateTimeToLive("counters") {
            "disable TTL that was never enabled" => {
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": false},
            },
        }
        UpdateTimeToLive("nothing") {
            "TTL of a table that doesn't exist" => {
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true},
            },
        }
        DescribeContinuousBackups("items") {
            "describe continuous backups" => {},
        }
        DescribeContinuousBackups("nothing") {
            "describe continuous backups of a table that doesn't exist" => {},
        }
        UpdateContinuousBackups("items") {
            "enable point-in-time recovery" => {
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
            },
        }
        DescribeLimits {
            "describe limits" => {},
        }
        DescribeEndpoints {
            "describe endpoints" => {},
        }
        ListBackups {
            "list backups" => {},
        }
        ListGlobalTables {
            "list global tables" => {},
        }
        DescribeContributorInsights("items") {
            "describe contributor insights" => {},
        }
        DescribeKinesisStreamingDestination("items") {
            "describe Kinesis destinations" => {},
        }
        ListTagsOfResource {
            "list tags" => {
                "ResourceArn": "arn:aws:dynamodb:ddblocal:000000000000:table/items",
            },
            "list tags of nonsense" => {"ResourceArn": "nonsense"},
            "list tags without an ARN" => {},
        }
        PutItem("items") {
            "the tables still work" => {"Item": key("o", "1")},
        }
    }
}
