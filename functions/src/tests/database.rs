//! A DynamoDB for each test, with an interceptor that can make requests fail.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Intercept;
use aws_sdk_dynamodb::config::retry::RetryConfig;

/// Returns a client for a new database that sends its requests through `interceptor`.
pub(crate) fn database(interceptor: impl Intercept + 'static) -> Client {
    // As many attempts as the functions make, without their waiting times.
    let retries =
        RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));
    let config = test_database::config().retry_config(retries).interceptor(interceptor);
    Client::from_conf(config.build())
}
