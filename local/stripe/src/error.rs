//! Errors as Stripe gives them (<https://docs.stripe.com/api/errors>): `{"error": {"type", "code",
//! "message", "param", ...}}`.

use serde::Serialize;
use serde_json::{Value, json};

/// One refused call.
#[derive(Debug, Clone)]
pub(super) struct Error {
    /// The HTTP status.
    pub(super) status: u16,
    /// What goes under `error`.
    pub(super) body: Box<Body>,
    /// Whether the endpoint had begun to execute. Only then is the answer kept under the call's
    /// idempotency key (<https://docs.stripe.com/api/idempotent_requests>): a parameter that fails
    /// validation may be mended and sent again.
    pub(super) executed: bool,
}

/// The error object. Absent fields are left out, as Stripe does.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decline_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) doc_url: Option<String>,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_intent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_method: Option<Value>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

impl Error {
    /// 400 `invalid_request_error` of a call whose parameters are wrong in themselves.
    pub(super) fn parameter(param: impl Into<String>, message: impl Into<String>) -> Self {
        let body = Body {
            kind: "invalid_request_error",
            message: message.into(),
            param: Some(param.into()),
            ..Body::default()
        };
        Self { status: 400, body: Box::new(body), executed: false }
    }

    /// 400 `invalid_request_error` of a call that is well formed and may not be done, in the state
    /// things are in.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        let body =
            Body { kind: "invalid_request_error", message: message.into(), ..Body::default() };
        Self { status: 400, body: Box::new(body), executed: true }
    }

    /// `resource_missing`: 404 when the path names it, 400 when a parameter does (see
    /// [`Self::named_by`]).
    pub(super) fn missing(kind: &str, id: &str) -> Self {
        let mut error = Self::refused(format!("No such {kind}: '{id}'")).code("resource_missing");
        error.status = 404;
        // Stripe calls the path's own parameter `intent` for payment intents and `id` for the rest.
        error.param(if kind == "payment_intent" { "intent" } else { "id" })
    }

    /// The missing object was named by the parameter `param`.
    pub(super) fn named_by(mut self, param: &str) -> Self {
        self.status = 400;
        self.param(param)
    }

    /// A card's refusal: 402 `card_error`.
    pub(super) fn card(
        message: &str,
        code: &'static str,
        decline_code: Option<&'static str>,
    ) -> Self {
        let mut error = Self::refused(message).code(code);
        error.status = 402;
        error.body.kind = "card_error";
        error.body.decline_code = decline_code;
        error
    }

    /// 401: no key, or not one of ours.
    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        let mut error = Self::refused(message);
        error.status = 401;
        error.executed = false;
        error
    }

    /// `idempotency_error`, 400 or 409.
    pub(super) fn idempotency(status: u16, message: String) -> Self {
        let body = Body { kind: "idempotency_error", message, ..Body::default() };
        Self { status, body: Box::new(body), executed: false }
    }

    /// 500 `api_error`: something broke at Stripe's end.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        let body = Body { kind: "api_error", message: message.into(), ..Body::default() };
        Self { status: 500, body: Box::new(body), executed: true }
    }

    /// Sets the error code, and with it the page that explains it.
    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.body.code = Some(code);
        self.body.doc_url =
            Some(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        self
    }

    /// Sets the parameter at fault.
    pub(super) fn param(mut self, param: impl Into<String>) -> Self {
        self.body.param = Some(param.into());
        self
    }

    /// Adds the payment intent as it is now.
    pub(super) fn with_intent(mut self, intent: Value) -> Self {
        self.body.payment_intent = Some(intent);
        self
    }

    /// The whole answer's JSON.
    pub(super) fn to_json(&self) -> Value {
        json!({ "error": self.body })
    }
}

/// `parameter_missing`.
pub(super) fn required<T>(value: Option<T>, param: &str) -> Result<T, Error> {
    value.ok_or_else(|| {
        Error::parameter(param, format!("Missing required param: {param}."))
            .code("parameter_missing")
    })
}
