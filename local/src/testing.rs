//! Helpers for the tests of several modules: a function, a table, a DynamoDB client, a folder.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use serde_json::json;

use crate::model::{Function, Statement, Table};

/// The region and account of every test resource.
pub(crate) const SCOPE: &str = "us-east-1:000000000000";

/// A function with a policy.
pub(crate) fn function(name: &str, policy: Vec<Statement>) -> Function {
    Function {
        name: name.into(),
        logical_id: name.into(),
        code_uri: String::new(),
        binary: None,
        function_name: name.into(),
        arn: format!("arn:aws:lambda:{SCOPE}:function:{name}"),
        handler: "bootstrap".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(3),
        memory_mb: 128,
        reserved_concurrency: None,
        policy,
        streams: Vec::new(),
        schedules: Vec::new(),
    }
}

/// A table with keys `pk` and `sk`, an index `by-state` on `state`, a stream with both images and
/// TTL on `expires_at`.
pub(crate) fn table(name: &str) -> Table {
    Table {
        name: name.into(),
        arn: format!("arn:aws:dynamodb:{SCOPE}:table/{name}"),
        properties: json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "state", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-state",
                "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }],
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
        }),
        ttl_attribute: Some("expires_at".into()),
        stream_view_type: Some("NEW_AND_OLD_IMAGES".into()),
    }
}

/// A DynamoDB client that calls with this access key id, as a function does. It does not retry.
pub(crate) fn client(endpoint_url: &str, access_key_id: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(endpoint_url)
        .credentials_provider(Credentials::new(access_key_id, "secret", None, None, "test"))
        .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// A new, empty directory under the system's temporary directory. It is removed when this is
/// dropped.
pub(crate) struct TempDir(pub(crate) std::path::PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("local-test-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
