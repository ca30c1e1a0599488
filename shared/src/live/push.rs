//! The way to the sockets: API Gateway's `@connections`. One of the two things that a test may replace.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Config};
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;

use crate::aws::Environment;
use crate::config::{ConfigError, required};
use crate::error::{Error, Result};

/// Reaches sockets by their connection ids.
pub trait Push: Send + Sync {
    /// Hands a frame over. It keeps the order of frames that are handed over one after the other.
    ///
    /// # Errors
    /// When it could not be handed over, after retries.
    fn post(&self, connection: &str, frame: &[u8]) -> impl Future<Output = Result<Posted>> + Send;

    /// Closes a socket, after what was posted before. One that is gone is closed.
    fn close(&self, connection: &str) -> impl Future<Output = Result<()>> + Send;
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// The socket has it.
    Yes,
    /// There is no such socket any more.
    Gone,
}

/// API Gateway.
#[derive(Debug, Clone)]
pub struct ApiGateway {
    client: Client,
}

impl ApiGateway {
    /// From `PUSH_ENDPOINT` (`https://{api}.execute-api.{region}.amazonaws.com/{stage}`) and what Lambda sets.
    ///
    /// One post takes milliseconds; one that takes a second is not going to. Throttles (429), time-outs and 5xx are tried three times, with
    /// jitter: who does not get through in three seconds is closed rather than waited for.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let env = Environment::read()?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_millis(1500))
            .operation_timeout(Duration::from_secs(3));
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(100))
            .with_max_backoff(Duration::from_millis(500));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(env.region)
            .credentials_provider(env.credentials)
            .http_client(env.http)
            .timeout_config(timeouts.build())
            .retry_config(retries)
            .endpoint_url(required("PUSH_ENDPOINT")?);
        Ok(Self { client: Client::from_conf(config.build()) })
    }
}

impl Push for ApiGateway {
    async fn post(&self, connection: &str, frame: &[u8]) -> Result<Posted> {
        let sent = self.client.post_to_connection().connection_id(connection).data(Blob::new(frame)).send().await;
        match sent {
            Ok(_) => Ok(Posted::Yes),
            Err(SdkError::ServiceError(e)) if matches!(e.err(), PostToConnectionError::GoneException(_)) => {
                Ok(Posted::Gone)
            }
            Err(error) => Err(Error::internal(DisplayErrorContext(&error).to_string())),
        }
    }

    async fn close(&self, connection: &str) -> Result<()> {
        match self.client.delete_connection().connection_id(connection).send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(e)) if matches!(e.err(), DeleteConnectionError::GoneException(_)) => Ok(()),
            Err(error) => Err(Error::internal(DisplayErrorContext(&error).to_string())),
        }
    }
}

/// Why something could not be pushed, for the log.
pub(super) fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
