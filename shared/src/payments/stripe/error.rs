//! Turns Stripe's errors into ours (<https://docs.stripe.com/api/errors>). Only the log contains
//! Stripe's messages.

use std::time::Duration;

use stripe::{ApiErrors, ApiErrorsType, StripeError};

use crate::error::{Error, catalogue};
use crate::retry::equal_jitter;

/// The longest wait after the first attempt.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait after any attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Whether the same request may succeed if it is sent again. With an idempotency key that is safe
/// even if Stripe has already acted on it (<https://docs.stripe.com/error-low-level>).
pub(super) fn is_transient(error: &StripeError) -> bool {
    match error {
        StripeError::ClientError(_) | StripeError::Timeout => true,
        // The response may come from somewhere else, such as a proxy's error page.
        StripeError::JSONDeserialize(_) => true,
        // 409: another request with this idempotency key is in progress. 424: a dependency of
        // Stripe failed.
        StripeError::Stripe(_, status) => matches!(status, 409 | 424 | 429 | 500..),
        StripeError::ConfigError(_) => false,
    }
}

/// Whether another attempt may help: with the same key, or with a fallback key if this error makes
/// the first key useless.
pub(super) fn should_retry(error: &StripeError, key_is_spent: bool) -> bool {
    is_transient(error) || spends_key(error) && !key_is_spent
}

/// Whether the error makes the idempotency key useless for a day. Stripe stores the result of a
/// key's first request, even a server error, and rejects later requests that reuse the key with
/// other parameters.
pub(super) fn spends_key(error: &StripeError) -> bool {
    match error {
        // A 409 of this type is different: the first request is still in progress.
        StripeError::Stripe(e, 400) => e.type_ == ApiErrorsType::IdempotencyError,
        StripeError::Stripe(_, status) => *status >= 500,
        _ => false,
    }
}

/// Returns how long to wait after an attempt, counted from 1: at most a quarter of a second after
/// the first, doubling with each attempt up to two seconds, and at least half of that. The wait is
/// random, so that callers that failed together do not retry together.
pub(super) fn backoff(attempt: u32) -> Duration {
    // If the operating system provides no random bytes, wait for the longest time.
    equal_jitter(attempt.saturating_sub(1), FIRST_WAIT, LONGEST_WAIT).unwrap_or(LONGEST_WAIT)
}

/// Whether the error says that the object doesn't exist.
pub(super) fn is_missing(error: &StripeError) -> bool {
    code(error) == Some("resource_missing")
}

/// Returns Stripe's error code.
pub(super) fn code(error: &StripeError) -> Option<&str> {
    match error {
        StripeError::Stripe(e, _) => code_of(e),
        _ => None,
    }
}

fn code_of(e: &ApiErrors) -> Option<&str> {
    e.code.as_ref().map(|code| code.as_str())
}

/// Turns a Stripe error into ours.
pub(super) fn to_error(error: &StripeError) -> Error {
    match error {
        StripeError::Stripe(e, _) if e.type_ == ApiErrorsType::CardError => declined(e),
        // Stripe rejects our API key. Clients can only try again later, when we have replaced it.
        StripeError::Stripe(_, 401 | 403) => unavailable(describe(error)),
        transient if is_transient(transient) => unavailable(describe(transient)),
        other => Error::internal(describe(other)),
    }
}

fn unavailable(source: String) -> Error {
    Error::new(
        &catalogue::PAYMENTS_UNAVAILABLE,
        "Stripe is not responding. Nothing was lost; try again.",
    )
    .retry_after(5)
    .with_source(source)
}

fn declined(e: &ApiErrors) -> Error {
    let error = Error::new(&catalogue::CARD_DECLINED, "The card was declined. Try another one.")
        .with_source(summary(e));
    // The bank's reason (`insufficient_funds`) if it gave one, otherwise Stripe's (`expired_card`).
    match e.decline_code.as_deref().or(code_of(e)) {
        Some(code) => error.with_member("decline_code", code),
        None => error,
    }
}

/// Describes an error for the log. `Debug` would print the whole intent of a card error, including
/// its client secret.
fn describe(error: &StripeError) -> String {
    match error {
        StripeError::Stripe(e, status) => format!("Stripe answered {status}: {}", summary(e)),
        other => other.to_string(),
    }
}

fn summary(e: &ApiErrors) -> String {
    let code = code_of(e).unwrap_or("no code");
    format!("{} {code}: {}", e.type_.as_str(), e.message.as_deref().unwrap_or_default())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::Kind;

    /// Returns the error for a response with this status and body.
    pub(in super::super) fn stripe_error(status: u16, json: &str) -> StripeError {
        let e: stripe_shared::Error = miniserde::json::from_str(json).unwrap();
        StripeError::Stripe(e.error, status)
    }

    #[test]
    fn a_declined_card_is_402_with_the_banks_reason_but_not_stripes_message() {
        let body = r#"{"error": {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "Stripe's words"}}"#;
        let error = to_error(&stripe_error(402, body));
        assert!(error.is(&catalogue::CARD_DECLINED));
        assert_eq!(error.members()["decline_code"], "insufficient_funds");
        assert!(!error.detail().contains("Stripe's words"));
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("Stripe's words"));
        let no_reason = to_error(&stripe_error(
            402,
            r#"{"error": {"type": "card_error", "code": "expired_card"}}"#,
        ));
        assert_eq!(no_reason.members()["decline_code"], "expired_card");
    }

    #[test]
    fn an_unusable_stripe_or_api_key_is_503_with_retry_after() {
        let api_error = r#"{"error": {"type": "api_error", "message": "Stripe's words"}}"#;
        let down = [500, 502, 503, 429, 409, 401].map(|status| stripe_error(status, api_error));
        let silent = [
            StripeError::Timeout,
            StripeError::ClientError("reset".into()),
            StripeError::JSONDeserialize("<html>".into()),
        ];
        for error in down.iter().chain(&silent) {
            let ours = to_error(error);
            assert!(ours.is(&catalogue::PAYMENTS_UNAVAILABLE), "{error}");
            assert!(
                ours.retry_after_seconds().is_some() && !ours.detail().contains("words"),
                "{error}"
            );
        }
    }

    #[test]
    fn any_other_rejection_is_an_opaque_internal_error() {
        let body = r#"{"error": {"type": "invalid_request_error", "code": "amount_too_small", "message": "Stripe's words"}}"#;
        let error = to_error(&stripe_error(400, body));
        assert_eq!(error.code().kind, Kind::Internal);
        assert!(!error.detail().contains("words"));
        assert!(!is_transient(&stripe_error(400, body)));
    }

    #[test]
    fn backoff_doubles_up_to_two_seconds() {
        for (attempt, longest) in (1..7).zip([250, 500, 1000, 2000, 2000, 2000]) {
            for _ in 0..20 {
                let wait = backoff(attempt).as_millis();
                assert!(
                    (longest / 2..=longest).contains(&wait),
                    "{wait} ms after attempt {attempt}"
                );
            }
        }
    }
}
