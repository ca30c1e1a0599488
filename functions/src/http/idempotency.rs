//! `Idempotency-Key`: the caller's own name for a request, so that sending it twice does it once.

use shared::domain::ids::UserId;
use shared::domain::order::Idempotency;
use shared::error::{Error, Result};

use super::Request;

/// The longest key (Stripe's limit, which clients know).
const MAX: usize = 255;

/// The key as sent: 1 to 255 characters of visible ASCII.
pub fn idempotency_key(request: &Request) -> Result<Option<&str>> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| !key.is_empty() && key.len() <= MAX);
    let wrong = || {
        Error::field(
            "Idempotency-Key",
            "invalid",
            "Use 1 to 255 visible ASCII characters, such as a UUID.",
        )
    };
    key.map(Some).ok_or_else(wrong)
}

/// The key, bound to its caller, its operation and the request's content; `None` when it carries
/// none.
pub fn idempotency(
    request: &Request,
    caller: &UserId,
    operation: &str,
) -> Result<Option<Idempotency>> {
    let key = idempotency_key(request)?;
    Ok(key.map(|key| {
        Idempotency::new(caller, operation, key, &[request.path().as_bytes(), request.body()])
    }))
}
