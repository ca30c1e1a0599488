//! The API of Secrets Manager: the operations that functions use, and those with which a developer
//! creates and rolls a secret.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html>

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::store::{SecretStore, StoredSecret, Version};
use crate::iam::{self, Iam};
use crate::log::Log;

/// The dependencies of the API.
#[derive(Clone)]
pub(crate) struct SecretsApi {
    /// The secrets.
    pub(crate) store: SecretStore,
    /// Says what each function may do.
    pub(crate) iam: Arc<Iam>,
    /// Gets a line for each denied call.
    pub(crate) log: Log,
    /// The start of a new secret's ARN: `arn:aws:secretsmanager:<region>:<account>:secret:`.
    pub(crate) arn_prefix: String,
}

/// An error, in the shape of Secrets Manager.
struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSecretValue {
    secret_id: String,
    secret_string: String,
    client_request_token: Option<String>,
    version_stages: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateSecret {
    name: String,
    secret_string: Option<String>,
    client_request_token: Option<String>,
}

/// Returns the route of this API. Other routes share its port.
pub(crate) fn router(api: SecretsApi) -> Router {
    Router::new().route("/", post(handle)).with_state(api)
}

pub(super) async fn handle(
    State(api): State<SecretsApi>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let operation =
        header("x-amz-target").and_then(|target| target.strip_prefix("secretsmanager."));
    let caller = header("authorization").and_then(iam::credential);
    let answer = match operation {
        Some("GetSecretValue") => read(&body).and_then(|request| api.get(caller, &request)),
        Some("PutSecretValue") => read(&body).and_then(|request| api.put(caller, request)),
        Some("CreateSecret") => read(&body).and_then(|request| api.create(caller, request)),
        other => Err(ApiError::invalid(
            "InvalidAction",
            format!(
                "the local cloud supports GetSecretValue, PutSecretValue and CreateSecret of \
                 Secrets Manager, not {}",
                other.unwrap_or("a request without x-amz-target")
            ),
        )),
    };
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (error.status, json!({"__type": error.kind, "Message": error.message})),
    };
    let headers = [
        ("content-type", "application/x-amz-json-1.1".to_owned()),
        ("x-amzn-requestid", Uuid::now_v7().to_string()),
    ];
    (status, headers, body.to_string()).into_response()
}

/// Reads the request. The message of an error does not quote it, because it may hold a secret.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|_| {
        ApiError::invalid("ValidationException", "a parameter is missing or has the wrong type")
    })
}

impl SecretsApi {
    fn get(&self, caller: Option<&str>, request: &GetSecretValue) -> Result<Value, ApiError> {
        let (name, secret) = self.find(caller, "GetSecretValue", &request.secret_id)?;
        let stage = request.version_stage.as_deref();
        let versions =
            [("AWSCURRENT", &secret.current), ("AWSPREVIOUS", &secret.previous)].into_iter();
        let mut versions = versions.filter_map(|(stage, version)| Some((stage, version.as_ref()?)));
        let (stage, version) = versions
            .find(|(label, version)| match (&request.version_id, stage) {
                (None, stage) => *label == stage.unwrap_or("AWSCURRENT"),
                (Some(id), stage) => version.id == *id && stage.is_none_or(|stage| stage == *label),
            })
            .ok_or_else(|| {
                ApiError::not_found(match &request.version_id {
                    Some(id) => format!("secret value for VersionId: {id}"),
                    None => {
                        let stage = stage.unwrap_or("AWSCURRENT");
                        format!("secret value for staging label: {stage}")
                    }
                })
            })?;
        Ok(json!({
            "ARN": secret.arn, "Name": name, "VersionId": version.id, "SecretString": version.text,
            "VersionStages": [stage], "CreatedDate": version.created,
        }))
    }

    fn put(&self, caller: Option<&str>, request: PutSecretValue) -> Result<Value, ApiError> {
        let (name, secret) = self.find(caller, "PutSecretValue", &request.secret_id)?;
        if request.version_stages.is_some_and(|stages| stages != ["AWSCURRENT"]) {
            return Err(ApiError::invalid(
                "InvalidParameterException",
                "the local cloud only puts versions with the staging label AWSCURRENT",
            ));
        }
        let id = request.client_request_token.unwrap_or_else(|| Uuid::now_v7().to_string());
        let known = [&secret.current, &secret.previous].into_iter().flatten();
        match known.into_iter().find(|version| version.id == id) {
            // A repeated request.
            Some(Version { text, .. }) if *text == request.secret_string => {}
            Some(_) => {
                return Err(ApiError::invalid(
                    "ResourceExistsException",
                    "You can't use ClientRequestToken for a secret version that already exists.",
                ));
            }
            None => self
                .store
                .put(&name, id.clone(), request.secret_string)
                .map_err(|error| ApiError::internal(&error))?,
        }
        Ok(json!({
            "ARN": secret.arn, "Name": name, "VersionId": id, "VersionStages": ["AWSCURRENT"],
        }))
    }

    fn create(&self, caller: Option<&str>, request: CreateSecret) -> Result<Value, ApiError> {
        let arn = format!("{}{}-local0", self.arn_prefix, request.name);
        self.authorize(caller, "CreateSecret", &arn)?;
        let id = request.client_request_token.unwrap_or_else(|| Uuid::now_v7().to_string());
        let first = request.secret_string.map(|text| (id.clone(), text));
        let created = self.store.create(&request.name, &arn, first);
        if !created.map_err(|error| ApiError::internal(&error))? {
            return Err(ApiError::invalid(
                "ResourceExistsException",
                format!("The operation failed because the secret {} already exists.", request.name),
            ));
        }
        Ok(json!({"ARN": arn, "Name": request.name, "VersionId": id}))
    }

    /// Returns a secret on which the caller may perform the operation.
    fn find(
        &self,
        caller: Option<&str>,
        operation: &str,
        id: &str,
    ) -> Result<(String, StoredSecret), ApiError> {
        let found = self.store.find(id);
        let arn = match &found {
            Some((_, secret)) => secret.arn.clone(),
            None if id.starts_with("arn:") => id.to_owned(),
            None => format!("{}{id}", self.arn_prefix),
        };
        self.authorize(caller, operation, &arn)?;
        found.ok_or_else(|| ApiError::not_found("secret.".to_owned()))
    }

    fn authorize(&self, caller: Option<&str>, operation: &str, arn: &str) -> Result<(), ApiError> {
        // Other callers, such as the AWS CLI, are the developer, who may do everything.
        let Some(caller) = caller.and_then(|key| self.iam.caller(key)) else { return Ok(()) };
        let action = format!("secretsmanager:{operation}");
        if caller.allows(&action, arn, &[]) {
            return Ok(());
        }
        let text = format!(
            "AccessDenied: the function's policy in the template does not allow {action} on {arn}"
        );
        self.log.line(&caller.function, None, &text);
        Err(ApiError::invalid("AccessDeniedException", caller.denial(&action, arn)))
    }
}

impl ApiError {
    fn invalid(kind: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind, message: message.into() }
    }

    fn not_found(what: String) -> Self {
        Self::invalid(
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified {what}"),
        )
    }

    fn internal(error: &anyhow::Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "InternalServiceError",
            message: format!("{error:#}"),
        }
    }
}
