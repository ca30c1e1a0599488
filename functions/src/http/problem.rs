//! RFC 9457: an error as the caller sees it. The one place where that happens, and where it is logged, once.

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};
use shared::error::{Error, Kind, Result};

use super::Reply;

/// Base of every problem's `type`: it leads to the catalogue in the documentation.
const TYPE_BASE: &str = "/docs/problems/";

/// Logs `error` and turns it into its answer.
pub(super) fn reply(error: &Error, request_id: &str) -> Reply {
    let code = error.code();
    let source = error.cause();
    match code.kind {
        Kind::Internal | Kind::Unavailable => {
            tracing::error!(code = code.code, source, "request failed: {}", code.code)
        }
        _ => tracing::info!(code = code.code, source, "request refused: {}", code.code),
    }
    document(error, request_id).unwrap_or_else(|_| {
        // Only an error text that is no header value gets here, and none is.
        Reply::no_content()
    })
}

fn document(error: &Error, request_id: &str) -> Result<Reply> {
    let code = error.code();
    let mut body = Map::new();
    body.insert("type".to_owned(), json!(format!("{TYPE_BASE}{}", code.code)));
    body.insert("title".to_owned(), json!(code.title));
    body.insert("status".to_owned(), json!(code.kind.status()));
    body.insert("detail".to_owned(), json!(error.detail()));
    body.insert("code".to_owned(), json!(code.code));
    body.insert("request_id".to_owned(), json!(request_id));
    if !error.fields().is_empty() {
        body.insert("errors".to_owned(), json!(error.fields()));
    }
    body.extend(error.members().clone());
    let mut reply = Reply::of_type(code.kind.status(), "application/problem+json", &Value::Object(body))?;
    if code.kind == Kind::Unauthenticated {
        reply = reply.header(WWW_AUTHENTICATE, "Bearer")?;
    }
    if let (Kind::MethodNotAllowed, Some(Value::String(methods))) = (code.kind, error.members().get("allow")) {
        reply = reply.header(ALLOW, methods)?;
    }
    if let Some(seconds) = error.retry_after_seconds() {
        reply = reply.header(RETRY_AFTER, &seconds.to_string())?;
    }
    Ok(reply)
}
