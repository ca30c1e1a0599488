//! Turns an error into the problem document (RFC 9457) that the caller sees, and logs it once. No
//! other module does either.

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::error::{Error, FieldError, Kind, Result};

use super::Reply;

/// Base of every problem's `type`: it leads to the catalogue in the documentation.
const TYPE_BASE: &str = "/docs/problems/";

/// Logs `error` and turns it into a response.
pub(super) fn reply(error: &Error, request_id: &str) -> Reply {
    let code = error.code();
    let source = error.cause();
    match code.kind {
        Kind::Internal | Kind::Unavailable => {
            tracing::error!(code = code.code, source, "request failed: {}", code.code)
        }
        _ => tracing::debug!(code = code.code, source, "request refused: {}", code.code),
    }
    // These fields appear in the line that every request logs.
    let span = tracing::Span::current();
    span.record("code", code.code);
    if !error.fields().is_empty() {
        let errors = error.fields().iter().map(|e| format!("{}:{}", e.field, e.code));
        // The name of an unknown field comes from the client, so it may be long.
        let errors: String = errors.collect::<Vec<_>>().join(",").chars().take(200).collect();
        span.record("errors", errors);
    }
    document(error, request_id).unwrap_or_else(|failure| {
        tracing::error!(source = failure.cause(), "the problem document can't be built");
        Reply::internal_error(request_id)
    })
}

/// A problem document (RFC 9457). It also has the members `code`, `request_id` and `errors`, and
/// some codes add more, such as the current `version` of the resource.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem", example = example())]
pub(crate) struct Document<'a> {
    /// The path of the page that explains the code.
    #[serde(rename = "type")]
    kind: String,
    /// The same for every occurrence of the code.
    title: &'a str,
    /// The HTTP status of the response.
    status: u16,
    /// What was wrong this time, and what to do about it.
    detail: &'a str,
    /// The stable name of the error. Match on it, not on the sentences.
    code: &'a str,
    /// The id of the request. Give it when you ask for help.
    request_id: &'a str,
    /// The wrong fields, if fields were wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten)]
    #[schemars(skip)]
    members: &'a Map<String, Value>,
}

fn example() -> Value {
    json!({
        "type": "/docs/problems/validation_failed",
        "title": "Some fields are invalid",
        "status": 422,
        "detail": "Some fields are invalid. `errors` lists each of them.",
        "code": "validation_failed",
        "request_id": "8f1e7c1e-6a0b-4a57-9a52-6d5c5b1d3c11",
        "errors": [{"field": "price.amount", "code": "amount_too_small", "detail": "Must be at least 50 minor units (0.50 usd)."}],
    })
}

fn document(error: &Error, request_id: &str) -> Result<Reply> {
    let code = error.code();
    let document = Document {
        kind: format!("{TYPE_BASE}{}", code.code),
        title: code.title,
        status: code.kind.status(),
        detail: error.detail(),
        code: code.code,
        request_id,
        errors: error.fields(),
        members: error.members(),
    };
    let mut reply = Reply::of_type(code.kind.status(), "application/problem+json", &document)?;
    if code.kind == Kind::Unauthenticated {
        reply = reply.header(WWW_AUTHENTICATE, "Bearer")?;
    }
    if let (Kind::MethodNotAllowed, Some(Value::String(methods))) =
        (code.kind, error.members().get("allow"))
    {
        reply = reply.header(ALLOW, methods)?;
    }
    if let Some(seconds) = error.retry_after_seconds() {
        reply = reply.header(RETRY_AFTER, &seconds.to_string())?;
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use shared::error::catalogue;

    use super::*;

    #[test]
    fn an_error_whose_document_cannot_be_built_is_a_500() {
        let unusable =
            Error::new(&catalogue::METHOD_NOT_ALLOWED, "No.").with_member("allow", "GET\n");
        assert!(document(&unusable, "request-1").is_err());
        let reply = reply(&unusable, "request-1");
        assert_eq!(reply.status(), 500);
        let body: Value = serde_json::from_str(reply.body()).unwrap();
        assert_eq!((&body["code"], &body["request_id"]), (&json!("internal"), &json!("request-1")));
    }
}
