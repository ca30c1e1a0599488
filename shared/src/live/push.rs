//! The way to the sockets: API Gateway's `@connections`. One of the two things that a test may
//! replace.

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
use crate::aws::Environment;
use crate::config::{ConfigError, required};
use crate::error::{Error, Result};
use crate::retry::jitter;

#[cfg(test)]
mod tests;

/// A post takes milliseconds. One that has taken this long is given up and tried again, if there is
/// time left.
const ATTEMPT: Duration = Duration::from_millis(1500);
/// The longest wait before the first retry; it doubles with each, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait before any retry.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Reaches sockets by their connection ids.
pub trait Push: Send + Sync {
    /// Hands a frame over. It keeps the order of frames that are handed over one after the other.
    ///
    /// # Errors
    /// When it could not be handed over in time, after retries. It may arrive all the same.
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

/// How long one socket is tried, all retries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutPolicy {
    /// Half a second at most, since others are waiting; less while posts are quick (`pulse.rs`).
    Short,
    /// Three seconds: nobody waits but the socket's own client.
    Usual,
    /// Ten seconds: the last attempt before the socket is closed.
    Long,
}

impl TimeoutPolicy {
    pub(super) const fn limit(self) -> Duration {
        match self {
            Self::Short => Duration::from_millis(500),
            Self::Usual => Duration::from_secs(3),
            Self::Long => Duration::from_secs(10),
        }
    }
}

/// API Gateway.
#[derive(Debug, Clone)]
pub struct ApiGateway {
    client: Client,
    patience: TimeoutPolicy,
    pulse: Arc<AdaptiveTimeout>,
}

impl ApiGateway {
    /// From `PUSH_ENDPOINT` (`https://{api}.execute-api.{region}.amazonaws.com/{stage}`) and what
    /// Lambda sets.
    pub fn from_env(patience: TimeoutPolicy) -> std::result::Result<Self, ConfigError> {
        Ok(Self::new(Environment::read()?, required("PUSH_ENDPOINT")?, patience))
    }

    fn new(env: Environment, endpoint: String, patience: TimeoutPolicy) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(ATTEMPT);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(env.region)
            .credentials_provider(env.credentials)
            .http_client(env.http)
            .timeout_config(timeouts.build())
            // The SDK's retries stop when a budget is used up that all requests of the process
            // share: a hundred of them during a throttle, upon which healthy sockets would be
            // closed. And a throttle without an error type is none to it.
            .retry_config(RetryConfig::disabled())
            .endpoint_url(endpoint);
        Self {
            client: Client::from_conf(config.build()),
            patience,
            pulse: Arc::new(AdaptiveTimeout::new()),
        }
    }

    /// How long a post may take now.
    fn limit(&self) -> Duration {
        if self.patience == TimeoutPolicy::Short {
            self.pulse.limit()
        } else {
            self.patience.limit()
        }
    }

    /// Sends a request until it is answered, or the time is over.
    async fn persist<T, E, Sent>(
        limit: Duration,
        send: impl Fn() -> Sent,
    ) -> Result<std::result::Result<T, SdkError<E>>>
    where
        E: std::error::Error + 'static,
        Sent: Future<Output = std::result::Result<T, SdkError<E>>>,
    {
        let until = Instant::now() + limit;
        let mut last = None;
        for retry in 0.. {
            match timeout_at(until, send()).await {
                Ok(Err(error)) if may_pass(&error) => last = Some(error),
                Ok(answer) => return Ok(answer),
                Err(_) => break,
            }
            let wait = jitter(retry, FIRST_WAIT, LONGEST_WAIT)?;
            if Instant::now() + wait >= until {
                break;
            }
            sleep(wait).await;
        }
        let cause = last.map_or_else(
            || "no answer".to_owned(),
            |error| DisplayErrorContext(&error).to_string(),
        );
        Err(Error::internal(format!("given up after {limit:?}: {cause}")))
    }
}

/// Whether the same request may succeed in a moment: throttles, by their status since not all have
/// a type, and whatever happens on the way.
fn may_pass<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(e) => matches!(e.raw().status().as_u16(), 429 | 500..),
        SdkError::ResponseError(e) => matches!(e.raw().status().as_u16(), 429 | 500..),
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}

impl Push for ApiGateway {
    async fn post(&self, connection: &str, frame: &[u8]) -> Result<Posted> {
        let post =
            self.client.post_to_connection().connection_id(connection).data(Blob::new(frame));
        let began = Instant::now();
        let posted = Self::persist(self.limit(), || post.clone().send())
            .await
            .inspect_err(|_| self.pulse.given_up())?;
        self.pulse.answered(began.elapsed());
        match posted {
            Ok(_) => Ok(Posted::Yes),
            Err(SdkError::ServiceError(e))
                if matches!(e.err(), PostToConnectionError::GoneException(_)) =>
            {
                Ok(Posted::Gone)
            }
            Err(error) => Err(Error::internal(DisplayErrorContext(&error).to_string())),
        }
    }

    /// Does not wait for the client, so it has no reason to take long.
    async fn close(&self, connection: &str) -> Result<()> {
        let delete = self.client.delete_connection().connection_id(connection);
        match Self::persist(TimeoutPolicy::Short.limit(), || delete.clone().send()).await? {
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

/// Why something could not be pushed, for the log.
pub(super) fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
