//! A DynamoDB in this process, with the indexes of orders, that can lose responses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut as BeforeReading;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use shared::store::Store;
use test_database::create_table;

use crate::tests::database::database;

/// How many of the next responses get lost. Their requests are still carried out.
#[derive(Debug, Clone, Default)]
pub(super) struct LostResponses(Arc<AtomicUsize>);

impl LostResponses {
    pub(super) fn lose_next(&self, answers: usize) {
        self.0.store(answers, Ordering::Relaxed);
    }
}

impl Intercept for LostResponses {
    fn name(&self) -> &'static str {
        "LostResponses"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeReading<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let lost =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if lost.is_ok() {
            // The SDK then retries the request.
            *context.response_mut().status_mut() = 500.try_into()?;
        }
        Ok(())
    }
}

/// Returns a new store, and the control that makes it lose responses.
pub(super) async fn store() -> (Store, LostResponses) {
    let lost = LostResponses::default();
    let client = database(lost.clone());
    create_table(&client, "marketplace", 6).await;
    (Store::new(client, "marketplace"), lost)
}
