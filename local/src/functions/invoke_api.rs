//! The Lambda Invoke API: `POST /2015-03-31/functions/{name}/invocations`.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use uuid::Uuid;

use super::settings::MAX_PAYLOAD;
use crate::iam;
use crate::invoke::{Invoke, InvokeError};
use crate::log::Log;
use crate::model::{Function, Project};

/// The largest event of an asynchronous invocation: 1 MB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_ASYNC_PAYLOAD: usize = 1024 * 1024;

/// Takes an access key id, an action and a resource ARN. Returns whether the owner of the key may
/// perform the action on the resource.
pub type Authorize = Arc<dyn Fn(&str, &str, &str) -> bool + Send + Sync>;

/// The dependencies of the Invoke API.
#[derive(Clone)]
pub struct InvokeApi {
    /// The project, in which functions are found by name, logical id, deployed name or ARN.
    pub project: Arc<Project>,
    /// Runs the functions.
    pub invoke: Arc<dyn Invoke>,
    /// Gets a line for each failed asynchronous invocation.
    pub log: Log,
    /// Checks `lambda:InvokeFunction` for signed requests, such as those of functions. Requests
    /// without a credential (`curl`, `cargo lambda invoke`) come from the developer, who may do
    /// everything.
    pub authorize: Option<Authorize>,
    /// The delays before the two retries of an asynchronous invocation: [`RETRY_DELAYS`], except
    /// in tests.
    pub retry_delays: [Duration; 2],
}

/// How long Lambda waits before each retry of a failed asynchronous invocation.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
pub const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// Returns the routes of this API, without a fallback, because other routes share its port.
pub fn router(api: InvokeApi) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .with_state(Arc::new(api))
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "Qualifier")]
    qualifier: Option<String>,
}

async fn invoke(
    State(api): State<Arc<InvokeApi>>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let outcome = respond(&api, &name, parameters.qualifier.as_deref(), &headers, body).await;
    let mut response = outcome.unwrap_or_else(ApiError::into_response);
    if let Ok(id) = Uuid::now_v7().to_string().parse() {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

async fn respond(
    api: &Arc<InvokeApi>,
    name: &str,
    qualifier: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let function = find(&api.project, name, qualifier)?;
    authorize(api, function, headers)?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    for (name, supported) in [("x-amz-log-type", "None"), ("x-amz-client-context", "")] {
        if let Some(value) = header(name).filter(|value| *value != supported) {
            return Err(ApiError::parameter(format!(
                "the local cloud does not support {name}: {value}"
            )));
        }
    }
    match header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "DryRun" => Ok(StatusCode::NO_CONTENT.into_response()),
        "Event" => {
            let payload = read(body, MAX_ASYNC_PAYLOAD).await?;
            tokio::spawn(invoke_with_retries(api.clone(), function.name.clone(), payload));
            Ok(StatusCode::ACCEPTED.into_response())
        }
        "RequestResponse" => {
            let payload = read(body, MAX_PAYLOAD).await?;
            let invocation = api.invoke.invoke(&function.name, payload).await?;
            let mut response =
                ([("content-type", "application/json")], invocation.payload).into_response();
            let mut set = |name, value| {
                response.headers_mut().insert(name, http::HeaderValue::from_static(value))
            };
            set("x-amz-executed-version", "$LATEST");
            if invocation.error.is_some() {
                // Lambda sends this value for every error. Only a runtime of 2016 had another,
                // `Handled`.
                set("x-amz-function-error", "Unhandled");
            }
            Ok(response)
        }
        other => Err(ApiError::parameter(format!(
            "X-Amz-Invocation-Type must be RequestResponse, Event or DryRun, not {other}"
        ))),
    }
}

/// Finds a function by its name, its ARN or a partial ARN (`<account>:function:<name>`), each with
/// or without the qualifier `$LATEST`.
fn find<'a>(
    project: &'a Project,
    name: &str,
    qualifier: Option<&str>,
) -> Result<&'a Function, ApiError> {
    let unqualified = name.strip_suffix(":$LATEST").unwrap_or(name);
    let bare = unqualified.rsplit_once("function:").map_or(unqualified, |(_, name)| name);
    let latest = qualifier.is_none_or(|qualifier| qualifier == "$LATEST");
    let function =
        project.function(unqualified).or_else(|| project.function(bare)).filter(|_| latest);
    function.ok_or_else(|| {
        let qualifier = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        ApiError::from(InvokeError::NotFound(format!("Function not found: {name}{qualifier}")))
    })
}

fn authorize(api: &InvokeApi, function: &Function, headers: &HeaderMap) -> Result<(), ApiError> {
    let credential = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(iam::credential);
    let (Some(authorize), Some(key)) = (&api.authorize, credential) else {
        return Ok(());
    };
    let action = "lambda:InvokeFunction";
    if authorize(key, action, &function.arn) {
        return Ok(());
    }
    let message =
        format!("User {key} is not authorized to perform: {action} on resource: {}", function.arn);
    Err(ApiError { status: StatusCode::FORBIDDEN, kind: "AccessDeniedException", message })
}

async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let body = Limited::new(body, limit).collect().await.map_err(|_| {
        InvokeError::TooLarge(format!(
            "Request must be smaller than {limit} bytes for the InvokeFunction operation"
        ))
    })?;
    let body = body.to_bytes();
    if body.is_empty() {
        // An empty payload becomes an empty event.
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(&body) {
        Ok(_) => Ok(body),
        Err(e) => Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            kind: "InvalidRequestContentException",
            message: format!("Could not parse request body into json: {e}"),
        }),
    }
}

/// Runs an asynchronous invocation, with two retries if it fails.
async fn invoke_with_retries(api: Arc<InvokeApi>, function: String, payload: Bytes) {
    let mut delays = api.retry_delays.iter();
    loop {
        let reason = match api.invoke.invoke(&function, payload.clone()).await {
            Ok(invocation) if invocation.error.is_none() => return,
            Ok(invocation) => String::from_utf8_lossy(&invocation.payload).into_owned(),
            Err(e) => e.to_string(),
        };
        let Some(delay) = delays.next() else {
            api.log.line(
                &function,
                None,
                &format!("asynchronous invocation abandoned after two retries: {reason}"),
            );
            return;
        };
        api.log.line(
            &function,
            None,
            &format!("asynchronous invocation failed, retrying in {delay:?}: {reason}"),
        );
        tokio::time::sleep(*delay).await;
    }
}

/// An error of the API itself, in Lambda's shape.
#[derive(Debug)]
struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl ApiError {
    fn parameter(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "InvalidParameterValueException", message }
    }

    fn into_response(self) -> Response {
        let fault = if self.status.is_server_error() { "Service" } else { "User" };
        // The service's model calls the member `Message` in some exceptions and `message` in
        // others; SDKs read both.
        let body = axum::Json(json!({ "Type": fault, "Message": self.message }));
        (self.status, [("x-amzn-errortype", self.kind)], body).into_response()
    }
}

impl From<InvokeError> for ApiError {
    fn from(error: InvokeError) -> Self {
        let (status, kind) = match error {
            InvokeError::NotFound(_) => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            InvokeError::Throttled(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException")
            }
            InvokeError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException"),
            InvokeError::Unavailable(_) => (StatusCode::BAD_GATEWAY, "ServiceException"),
        };
        Self { status, kind, message: error.to_string() }
    }
}

#[cfg(test)]
mod tests;
