//! A DynamoDB in this process, with the orders' indexes, whose answers can be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut as BeforeReading;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use dynoxide::Database;
use shared::store::Store;

/// The next answers that are lost on their way: what was asked for is done.
#[derive(Debug, Clone, Default)]
pub(super) struct Lost(Arc<AtomicUsize>);

impl Lost {
    pub(super) fn next(&self, answers: usize) {
        self.0.store(answers, Ordering::Relaxed);
    }
}

impl Intercept for Lost {
    fn name(&self) -> &'static str {
        "Lost"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeReading<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let lost = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if lost.is_ok() {
            // The SDK then sends the request again.
            *context.response_mut().status_mut() = 500.try_into()?;
        }
        Ok(())
    }
}

/// A store of its own, and what loses its answers.
pub(super) async fn store() -> (Store, Lost) {
    let lost = Lost::default();
    let client = serve(lost.clone());
    let key = |name: String, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let text = |name: String| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let mut table = client
        .create_table()
        .table_name("marketplace")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(text("pk".into()))
        .attribute_definitions(text("sk".into()))
        .key_schema(key("pk".into(), KeyType::Hash))
        .key_schema(key("sk".into(), KeyType::Range));
    for n in 1..=5 {
        let (pk, sk) = (format!("gsi{n}pk"), format!("gsi{n}sk"));
        let index = GlobalSecondaryIndex::builder()
            .index_name(format!("gsi{n}"))
            .key_schema(key(pk.clone(), KeyType::Hash))
            .key_schema(key(sk.clone(), KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::All).build());
        table = table
            .attribute_definitions(text(pk))
            .attribute_definitions(text(sk))
            .global_secondary_indexes(index.build().unwrap());
    }
    table.send().await.unwrap();
    (Store::new(client, "marketplace"), lost)
}

/// On a thread and a runtime of its own: every operation blocks its thread.
fn serve(lost: Lost) -> Client {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            dynoxide::server::serve_on(listener, Database::memory().unwrap()).await;
        });
    });
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1)))
        .interceptor(lost)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}
