//! Errors in Stripe's form (<https://docs.stripe.com/api/errors>): `{"error": {"type", "code",
//! "message", "param", ...}}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// A call that failed.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The object under `error`.
    pub(crate) body: Box<Body>,
    /// Whether the endpoint had begun to execute. Only then is the response stored under the call's
    /// idempotency key (<https://docs.stripe.com/api/idempotent_requests>). After a failed
    /// validation, the call can be corrected and sent again with the same key.
    pub(crate) executed: bool,
}

/// The error object. Fields without a value are left out, as in Stripe's responses.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decline_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) doc_url: Option<String>,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_intent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_method: Option<Value>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

impl Error {
    /// 400 `invalid_request_error`: a parameter is invalid, regardless of the stored objects.
    pub(crate) fn parameter(param: impl Into<String>, message: impl Into<String>) -> Self {
        let body = Body {
            kind: "invalid_request_error",
            message: message.into(),
            param: Some(param.into()),
            ..Body::default()
        };
        Self { status: 400, body: Box::new(body), executed: false }
    }

    /// 400 `invalid_request_error`: the call is well formed, but the state of an object does not
    /// allow it.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        let body =
            Body { kind: "invalid_request_error", message: message.into(), ..Body::default() };
        Self { status: 400, body: Box::new(body), executed: true }
    }

    /// 404 `resource_missing`: the path names an object that does not exist. See
    /// [`Self::for_param`] for an object that a parameter names.
    pub(crate) fn missing(kind: &str, id: &str) -> Self {
        let mut error =
            Self::invalid_request(format!("No such {kind}: '{id}'")).code("resource_missing");
        error.status = 404;
        // Stripe's name for the id in the path is `intent` for payment intents, otherwise `id`.
        error.param(if kind == "payment_intent" { "intent" } else { "id" })
    }

    /// Turns the 404 of [`missing`](Self::missing) into a 400, for an object that the parameter
    /// `param` names instead of the path.
    pub(crate) fn for_param(mut self, param: &str) -> Self {
        self.status = 400;
        self.param(param)
    }

    /// 402 `card_error`: the bank declined the payment.
    pub(crate) fn card(
        message: &str,
        code: &'static str,
        decline_code: Option<&'static str>,
    ) -> Self {
        let mut error = Self::invalid_request(message).code(code);
        error.status = 402;
        error.body.kind = "card_error";
        error.body.decline_code = decline_code;
        error
    }

    /// 401: the request has no API key, an unknown one, or one that may not make this call.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        let mut error = Self::invalid_request(message);
        error.status = 401;
        error.executed = false;
        error
    }

    /// 400 or 409 `idempotency_error`.
    pub(crate) fn idempotency(status: u16, message: String) -> Self {
        let body = Body { kind: "idempotency_error", message, ..Body::default() };
        Self { status, body: Box::new(body), executed: false }
    }

    /// 500 `api_error`: something broke at Stripe's end.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        let body = Body { kind: "api_error", message: message.into(), ..Body::default() };
        Self { status: 500, body: Box::new(body), executed: true }
    }

    /// Sets the error code, and `doc_url` to the page that explains the code.
    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.body.code = Some(code);
        self.body.doc_url =
            Some(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        self
    }

    /// Sets the parameter at fault.
    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.body.param = Some(param.into());
        self
    }

    /// Adds the payment intent in its current state.
    pub(crate) fn with_intent(mut self, intent: Value) -> Self {
        self.body.payment_intent = Some(intent);
        self
    }

    /// Returns the JSON of the whole response.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "error": self.body })
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.to_json())).into_response()
    }
}

/// Returns the value of a required parameter.
///
/// # Errors
/// 400 `parameter_missing` when `value` is `None`.
pub(crate) fn required<T>(value: Option<T>, param: &str) -> Result<T, Error> {
    value.ok_or_else(|| {
        Error::parameter(param, format!("Missing required param: {param}."))
            .code("parameter_missing")
    })
}
