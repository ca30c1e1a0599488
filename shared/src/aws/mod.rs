//! What every AWS client here shares: one HTTP client, credentials from the environment, time-outs
//! that fit inside an API call.
//!
//! Built by hand, without `aws-config`: in Lambda the region and the credentials are environment
//! variables, and anything that looks further (profiles, metadata services) costs a cold start
//! milliseconds and can only be wrong.

use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, Region, SharedHttpClient};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};

use crate::config::{ConfigError, optional, required};

/// Amazon Trust Services' roots, to which every AWS endpoint's certificate leads
/// (<https://www.amazontrust.com/repository/>). Five, instead of the platform's 145: parsing those
/// costs 3 to 8 ms a start.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// Where and as whom to call AWS.
pub(crate) struct Environment {
    /// `AWS_REGION`.
    pub(crate) region: Region,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`: those of the function's
    /// role.
    pub(crate) credentials: Credentials,
    /// The one connection pool of this process.
    pub(crate) http: SharedHttpClient,
    /// One connect, one attempt, all attempts: together shorter than a function's `Timeout`.
    pub(crate) timeouts: TimeoutConfig,
    /// Three attempts with jittered back-off.
    pub(crate) retries: RetryConfig,
}

impl Environment {
    /// Reads the environment that Lambda gives each function.
    pub(crate) fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            region: Region::new(required("AWS_REGION")?),
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                optional("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            http: http_client()?,
            timeouts: TimeoutConfig::builder()
                .connect_timeout(Duration::from_millis(1000))
                .operation_attempt_timeout(Duration::from_millis(2500))
                .operation_timeout(Duration::from_secs(8))
                .build(),
            retries: RetryConfig::standard().with_max_attempts(3),
        })
    }
}

pub(crate) fn http_client() -> Result<SharedHttpClient, ConfigError> {
    static CLIENT: OnceLock<SharedHttpClient> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let tls = TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_pem_certificate(ROOTS))
        .build()
        .map_err(|e| ConfigError::new("AWS_REGION", format!("no TLS: {e}")))?;
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        // A frozen sandbox wakes with dead connections; those idle for longer are not worth trying.
        .pool_idle_timeout(Duration::from_secs(50))
        .build_https();
    Ok(CLIENT.get_or_init(|| client).clone())
}
