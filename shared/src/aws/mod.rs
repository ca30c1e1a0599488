//! The settings that all AWS clients here share: one HTTP client, credentials from the environment,
//! and time-outs that fit inside an API call.
//!
//! They are built without `aws-config`. In Lambda, the region and the credentials are environment
//! variables. `aws-config` would also look for profiles and metadata services, which would slow
//! down cold starts and could only find wrong values.

use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, Region, SharedHttpClient};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};

use crate::config::{ConfigError, optional, required};

/// The five root certificates of Amazon Trust Services, which all AWS endpoints chain up to
/// (<https://www.amazontrust.com/repository/>). Parsing the platform's 145 roots instead would cost
/// 3 to 8 ms per cold start.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// Where AWS is, and who is calling.
pub(crate) struct Access {
    /// `AWS_REGION`.
    pub(crate) region: String,
    /// The credentials of the function's role: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`.
    pub(crate) credentials: Credentials,
}

impl Access {
    /// Reads the environment variables that Lambda sets.
    pub(crate) fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            region: required("AWS_REGION")?,
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                optional("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
        })
    }
}

/// The settings of an AWS client.
pub(crate) struct SdkSettings {
    /// The region.
    pub(crate) region: Region,
    /// The credentials.
    pub(crate) credentials: Credentials,
    /// The process's only connection pool.
    pub(crate) http: SharedHttpClient,
    /// Limits for connecting, for one attempt, and for all attempts together. The last is shorter
    /// than a function's `Timeout`.
    pub(crate) timeouts: TimeoutConfig,
    /// Three attempts with jittered back-off.
    pub(crate) retries: RetryConfig,
}

impl SdkSettings {
    /// Reads the environment variables that Lambda sets.
    pub(crate) fn from_env() -> Result<Self, ConfigError> {
        let Access { region, credentials } = Access::from_env()?;
        Ok(Self {
            region: Region::new(region),
            credentials,
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

/// The HTTP client that all AWS clients of the process share.
pub(crate) fn http_client() -> Result<SharedHttpClient, ConfigError> {
    static CLIENT: OnceLock<SharedHttpClient> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls()?)
        // While a sandbox is frozen, the other side closes its connections. Don't reuse one that
        // was idle for longer than this.
        .pool_idle_timeout(Duration::from_secs(50))
        .build_https();
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// The connection to Secrets Manager. The shared client would need the SDK's whole set of runtime
/// components to be called directly.
pub(crate) fn secrets_connector() -> Result<Connector, ConfigError> {
    Ok(Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls()?)
        .build())
}

/// TLS that trusts [`ROOTS`].
fn tls() -> Result<TlsContext, ConfigError> {
    TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_pem_certificate(ROOTS))
        .build()
        .map_err(|e| ConfigError::setup(format!("TLS can't be set up: {e}")))
}
