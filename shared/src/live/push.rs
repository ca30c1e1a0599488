//! Posts frames to sockets, through API Gateway's `@connections` API. [`Push`] is one of the two
//! traits that tests replace; the other is Stripe's.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Config};
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use tokio::time::{Instant, sleep, timeout_at};

use super::adaptive_timeout::AdaptiveTimeout;
use crate::aws::SdkSettings;
use crate::config::{ConfigError, required};
use crate::error::{Error, Result};
use crate::metrics::PUSHES;
use crate::retry::jitter;

#[cfg(test)]
mod tests;

/// The time limit of one attempt. A post normally takes 10 to 20 ms.
const ATTEMPT: Duration = Duration::from_millis(1500);
/// The longest wait before the first retry. It doubles with each retry, up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait before any retry.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Sends frames to sockets and closes them, by connection id.
pub trait Push: Send + Sync {
    /// Posts a frame. Frames that are posted one after the other arrive in that order.
    ///
    /// # Errors
    /// Internal if the frame could not be delivered in time, including retries, or API Gateway
    /// rejected it. After a time-out the frame may still arrive.
    fn post(
        &self,
        connection: &str,
        frame: &[u8],
    ) -> impl Future<Output = Result<PostOutcome>> + Send;

    /// Closes a socket, after all frames that were posted before. A socket that is gone counts as
    /// closed.
    ///
    /// # Errors
    /// Internal if it could not be closed in time, including retries, or API Gateway rejected the
    /// request.
    fn close(&self, connection: &str) -> impl Future<Output = Result<()>> + Send;
}

/// The outcome of posting a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostOutcome {
    /// The frame was delivered.
    Delivered,
    /// The socket no longer exists.
    Gone,
}

/// How long to try to reach a socket, including retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutPolicy {
    /// At most half a second, because other sockets are waiting; less while posts are fast
    /// (`adaptive_timeout.rs`).
    Short,
    /// Three seconds. Only the socket's own client is waiting.
    Usual,
    /// Ten seconds. This is the last attempt before the socket is closed.
    Long,
}

impl TimeoutPolicy {
    const fn limit(self) -> Duration {
        match self {
            Self::Short => Duration::from_millis(500),
            Self::Usual => Duration::from_secs(3),
            Self::Long => Duration::from_secs(10),
        }
    }
}

/// The client for API Gateway's `@connections` API.
#[derive(Debug, Clone)]
pub struct ApiGateway {
    client: Client,
    policy: TimeoutPolicy,
    adaptive: Arc<AdaptiveTimeout>,
}

impl ApiGateway {
    /// Creates the client from `PUSH_ENDPOINT`
    /// (`https://{api}.execute-api.{region}.amazonaws.com/{stage}`) and the variables that Lambda
    /// sets.
    ///
    /// # Errors
    /// Fails if a variable is missing or invalid; the error names it.
    pub fn from_env(policy: TimeoutPolicy) -> std::result::Result<Self, ConfigError> {
        Ok(Self::new(SdkSettings::from_env()?, required("PUSH_ENDPOINT")?, policy))
    }

    fn new(settings: SdkSettings, endpoint: String, policy: TimeoutPolicy) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(ATTEMPT);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(settings.region)
            .credentials_provider(settings.credentials)
            .http_client(settings.http)
            .timeout_config(timeouts.build())
            // We retry ourselves. The SDK's retries share one budget across the process: about a
            // hundred retries of throttled requests would use it up, and then healthy sockets would
            // be closed. Also, the SDK does not recognize throttles without an error type.
            .retry_config(RetryConfig::disabled())
            .endpoint_url(endpoint);
        Self {
            client: Client::from_conf(config.build()),
            policy,
            adaptive: Arc::new(AdaptiveTimeout::new(TimeoutPolicy::Short.limit())),
        }
    }

    /// How long a post may currently take.
    fn post_timeout(&self) -> Duration {
        match self.policy {
            TimeoutPolicy::Short => self.adaptive.current(),
            policy => policy.limit(),
        }
    }

    async fn post_with_retries(&self, connection: &str, frame: &[u8]) -> Result<PostOutcome> {
        let post =
            self.client.post_to_connection().connection_id(connection).data(Blob::new(frame));
        let started = Instant::now();
        let response = Self::send_with_retries(self.post_timeout(), || post.clone().send())
            .await
            .inspect_err(|_| self.adaptive.record_timeout())?;
        self.adaptive.record(started.elapsed());
        match response {
            Ok(_) => Ok(PostOutcome::Delivered),
            Err(SdkError::ServiceError(e))
                if matches!(e.err(), PostToConnectionError::GoneException(_)) =>
            {
                Ok(PostOutcome::Gone)
            }
            Err(error) => Err(Error::internal(DisplayErrorContext(&error).to_string())),
        }
    }

    /// Sends a request until there is a final response or the time is up.
    async fn send_with_retries<T, E, Sent>(
        limit: Duration,
        send: impl Fn() -> Sent,
    ) -> Result<std::result::Result<T, SdkError<E>>>
    where
        E: std::error::Error + 'static,
        Sent: Future<Output = std::result::Result<T, SdkError<E>>>,
    {
        let deadline = Instant::now() + limit;
        let mut last_error = None;
        for retry in 0.. {
            match timeout_at(deadline, send()).await {
                Ok(Err(error)) if is_transient(&error) => last_error = Some(error),
                Ok(response) => return Ok(response),
                Err(_) => break,
            }
            let wait = jitter(retry, FIRST_WAIT, MAX_WAIT)?;
            if Instant::now() + wait >= deadline {
                break;
            }
            sleep(wait).await;
        }
        let cause = last_error.map_or_else(
            || "no response".to_owned(),
            |error| DisplayErrorContext(&error).to_string(),
        );
        Err(Error::internal(format!("gave up after {limit:?}: {cause}")))
    }
}

/// Whether the same request may succeed shortly afterwards: after a network failure, a throttle or
/// a server error. Throttles and server errors are recognized by status, because some throttles
/// have no error type.
fn is_transient<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(e) => matches!(e.raw().status().as_u16(), 429 | 500..),
        SdkError::ResponseError(e) => matches!(e.raw().status().as_u16(), 429 | 500..),
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}

impl Push for ApiGateway {
    async fn post(&self, connection: &str, frame: &[u8]) -> Result<PostOutcome> {
        let outcome = self.post_with_retries(connection, frame).await;
        let counted = match &outcome {
            Ok(PostOutcome::Delivered) => "sent",
            Ok(PostOutcome::Gone) => "gone",
            Err(_) => "failed",
        };
        PUSHES.add(counted, 1);
        outcome
    }

    /// Closing does not involve the client, so the time-out is always short.
    async fn close(&self, connection: &str) -> Result<()> {
        let delete = self.client.delete_connection().connection_id(connection);
        let limit = TimeoutPolicy::Short.limit();
        match Self::send_with_retries(limit, || delete.clone().send()).await? {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(e))
                if matches!(e.err(), DeleteConnectionError::GoneException(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(Error::internal(DisplayErrorContext(&error).to_string())),
        }
    }
}

/// Returns the cause of a failed push, for the log.
pub(super) fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
