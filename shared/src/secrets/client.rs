//! The one operation of Secrets Manager that functions need, `GetSecretValue`
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>).
//!
//! The request is signed and sent with the parts that the DynamoDB client links anyway.
//! `docs/decisions/0013-secrets.md` says what the SDK's own client would add to each binary.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::json;

use crate::aws::{Access, secrets_connector};
use crate::config::{ConfigError, optional};
use crate::retry::equal_jitter;

/// The most attempts per read.
const ATTEMPTS: u32 = 4;
/// The time limit of one attempt. With the waits in between, a read ends within 8.4 s, so that
/// a function whose secret can't be read says so before Lambda ends its INIT phase after 10 s.
const TIMEOUT: Duration = Duration::from_millis(1750);
/// The longest wait after the first attempt. It doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait after any attempt.
const LONGEST_WAIT: Duration = Duration::from_millis(800);

/// A secret's text, as Secrets Manager stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText {
    /// The version with the staging label `AWSCURRENT`.
    pub current: String,
    /// The version with the staging label `AWSPREVIOUS`, which the current one replaced. It is
    /// only read when a secret is read again, and `None` if there is no such version.
    pub previous: Option<String>,
}

/// Reads one secret.
pub(super) struct Client {
    /// The secret's name or ARN.
    pub(super) secret: String,
    access: Access,
    endpoint: String,
    http: Connector,
}

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadError {
    /// The version does not exist, or the secret does not.
    NotFound,
    /// Everything else, in words that contain no secret.
    Other {
        /// What is wrong.
        problem: String,
        /// Whether another attempt may help.
        is_transient: bool,
    },
}

/// What `GetSecretValue` returns.
#[derive(Deserialize)]
struct Found {
    #[serde(rename = "SecretString")]
    text: Option<String>,
}

impl Client {
    /// Creates a client for this secret from the variables that Lambda sets.
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER` replaces the endpoint.
    pub(super) fn from_env(secret: String) -> Result<Self, ConfigError> {
        let access = Access::from_env()?;
        let endpoint = optional("AWS_ENDPOINT_URL_SECRETS_MANAGER").unwrap_or_else(|| {
            let domain = if access.region.starts_with("cn-") { "com.cn" } else { "com" };
            format!("https://secretsmanager.{}.amazonaws.{domain}", access.region)
        });
        Self::new(secret, access, &endpoint)
    }

    pub(super) fn new(secret: String, access: Access, endpoint: &str) -> Result<Self, ConfigError> {
        let endpoint = format!("{}/", endpoint.trim_end_matches('/'));
        Ok(Self { secret, access, endpoint, http: secrets_connector()? })
    }

    /// Reads the version with this staging label, with retries.
    pub(super) async fn read(&self, stage: &str) -> Result<String, ReadError> {
        let mut attempt = 1;
        loop {
            let failure = match tokio::time::timeout(TIMEOUT, self.attempt(stage)).await {
                Ok(Err(error)) => error,
                Ok(found) => return found,
                Err(_) => transient("Secrets Manager did not answer in time".to_owned()),
            };
            let retry = matches!(failure, ReadError::Other { is_transient: true, .. });
            if !retry || attempt == ATTEMPTS {
                return Err(failure);
            }
            let wait = equal_jitter(attempt - 1, FIRST_WAIT, LONGEST_WAIT);
            tokio::time::sleep(wait.unwrap_or(LONGEST_WAIT)).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, stage: &str) -> Result<String, ReadError> {
        let request = self.request(stage).map_err(|e| permanent(format!("no request: {e}")))?;
        let sent = self.http.call(request).await;
        let response =
            sent.map_err(|_| transient("Secrets Manager can't be reached".to_owned()))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await;
        let body = body
            .map_err(|_| transient("Secrets Manager's answer broke off".to_owned()))?
            .to_bytes();
        if status != 200 {
            return Err(self.refusal(status, &body));
        }
        let found: Result<Found, _> = serde_json::from_slice(&body);
        let text = found.ok().and_then(|found| found.text);
        text.ok_or_else(|| permanent("has no text (`SecretString`)".to_owned()))
    }

    fn request(
        &self,
        stage: &str,
    ) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
        let body = json!({"SecretId": self.secret, "VersionStage": stage}).to_string();
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
        ];
        let identity: Identity = self.access.credentials.clone().into();
        let settings = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.access.region)
            .name("secretsmanager")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            "POST",
            self.endpoint.as_str(),
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (signature, _) = sign(signable, &settings)?.into_parts();
        let mut request = HttpRequest::new(body.into());
        request.set_method("POST")?;
        request.set_uri(self.endpoint.as_str())?;
        for (name, value) in headers {
            request.headers_mut().insert(name, value);
        }
        for (name, value) in signature.headers() {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }

    /// Interprets an error response.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors>
    fn refusal(&self, status: u16, body: &[u8]) -> ReadError {
        #[derive(Deserialize)]
        struct Refusal {
            #[serde(rename = "__type")]
            kind: Option<String>,
        }
        let kind = serde_json::from_slice(body).ok().and_then(|refusal: Refusal| refusal.kind);
        let kind = kind.as_deref().unwrap_or_default();
        match kind.rsplit('#').next().unwrap_or_default() {
            "ResourceNotFoundException" => ReadError::NotFound,
            "AccessDeniedException" => permanent(
                "access is denied: the function's policy needs secretsmanager:GetSecretValue on \
                 this secret"
                    .to_owned(),
            ),
            kind if status == 429 || status >= 500 || kind.contains("Throttling") => {
                transient(format!("Secrets Manager answered {status} {kind}"))
            }
            kind => permanent(format!("Secrets Manager answered {status} {kind}")),
        }
    }
}

/// The longest time that a read takes.
#[cfg(test)]
pub(super) fn longest_read() -> Duration {
    let waits = (0..ATTEMPTS - 1).map(|retry| (FIRST_WAIT * 2_u32.pow(retry)).min(LONGEST_WAIT));
    TIMEOUT * ATTEMPTS + waits.sum::<Duration>()
}

fn transient(problem: String) -> ReadError {
    ReadError::Other { problem, is_transient: true }
}

fn permanent(problem: String) -> ReadError {
    ReadError::Other { problem, is_transient: false }
}
