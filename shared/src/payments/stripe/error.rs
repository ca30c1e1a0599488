//! What goes wrong at Stripe, as our errors. Stripe's text is for the log only
//! (<https://docs.stripe.com/api/errors>).

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use stripe::{ApiErrors, ApiErrorsType, StripeError};

use crate::error::{Error, catalogue};

/// Whether the same request may succeed if it is sent again. With an idempotency key that is safe
/// even when Stripe did act (<https://docs.stripe.com/error-low-level>).
pub(super) fn is_transient(error: &StripeError) -> bool {
    match error {
        StripeError::ClientError(_) | StripeError::Timeout => true,
        // Also what is no error of Stripe's at all, such as a proxy's page.
        StripeError::JSONDeserialize(_) => true,
        // 409: another request with this idempotency key is under way. 424: something that Stripe
        // depends on failed.
        StripeError::Stripe(_, status) => matches!(status, 409 | 424 | 429 | 500..),
        StripeError::ConfigError(_) => false,
    }
}

/// Whether another attempt may help: the same request, or, while the usual key was not given up
/// yet, one under another key.
pub(super) fn is_worth_repeating(error: &StripeError, key_is_spent: bool) -> bool {
    is_transient(error) || spends_key(error) && !key_is_spent
}

/// Whether the idempotency key will get no other answer for a day: Stripe keeps its failures, and
/// what a key first came with.
pub(super) fn spends_key(error: &StripeError) -> bool {
    match error {
        // 409 of this type is that the first is under way.
        StripeError::Stripe(e, 400) => e.type_ == ApiErrorsType::IdempotencyError,
        StripeError::Stripe(_, status) => *status >= 500,
        _ => false,
    }
}

/// How long to wait after attempt number `attempt`, the first being 1: a quarter of a second,
/// doubled each time up to two, and up to half of it less, so that callers who failed together do
/// not come back together.
pub(super) fn backoff(attempt: u32) -> Duration {
    let longest =
        Duration::from_millis(250) * 2_u32.saturating_pow(attempt.saturating_sub(1)).min(8);
    let mut random = [0_u8; 1];
    // Without randomness it waits longest.
    let cut = if SystemRandom::new().fill(&mut random).is_ok() { u32::from(random[0]) } else { 0 };
    longest - longest / 2 * cut / 255
}

/// Whether Stripe says that there is no such object.
pub(super) fn is_missing(error: &StripeError) -> bool {
    code(error) == Some("resource_missing")
}

/// Stripe's error code.
pub(super) fn code(error: &StripeError) -> Option<&str> {
    match error {
        StripeError::Stripe(e, _) => e.code.as_ref().map(|code| code.as_str()),
        _ => None,
    }
}

/// As ours.
pub(super) fn failed(error: &StripeError) -> Error {
    match error {
        StripeError::Stripe(e, _) if e.type_ == ApiErrorsType::CardError => declined(e),
        StripeError::Stripe(_, 401 | 403) => unavailable(describe(error)),
        transient if is_transient(transient) => unavailable(describe(transient)),
        other => Error::internal(describe(other)),
    }
}

fn unavailable(source: String) -> Error {
    Error::new(
        &catalogue::PAYMENTS_UNAVAILABLE,
        "Stripe does not answer just now; nothing was lost. Try again.",
    )
    .retry_after(5)
    .with_source(source)
}

fn declined(e: &ApiErrors) -> Error {
    let error = Error::new(&catalogue::CARD_DECLINED, "The card was declined. Try another one.")
        .with_source(summary(e));
    // The bank's reason where there is one, or else Stripe's: `insufficient_funds`, `expired_card`.
    match e.decline_code.as_deref().or(e.code.as_ref().map(|code| code.as_str())) {
        Some(code) => error.with("decline_code", code),
        None => error,
    }
}

/// For the log. Not `Debug`: a card error carries the whole intent, client secret included.
fn describe(error: &StripeError) -> String {
    match error {
        StripeError::Stripe(e, status) => format!("Stripe answered {status}: {}", summary(e)),
        other => other.to_string(),
    }
}

fn summary(e: &ApiErrors) -> String {
    let code = e.code.as_ref().map_or("no code", |code| code.as_str());
    format!("{} {code}: {}", e.type_.as_str(), e.message.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn stripe_error(status: u16, json: &str) -> StripeError {
        let e: stripe_shared::Error = miniserde::json::from_str(json).unwrap();
        StripeError::Stripe(e.error, status)
    }

    #[test]
    fn a_declined_card_is_402_with_the_banks_reason_and_without_stripes_text() {
        let body = r#"{"error": {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "Stripe's words"}}"#;
        let error = failed(&stripe_error(402, body));
        assert!(error.is(&catalogue::CARD_DECLINED));
        assert_eq!(error.members()["decline_code"], "insufficient_funds");
        assert!(!error.detail().contains("Stripe's words"));
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("Stripe's words"));
        let no_reason = failed(&stripe_error(
            402,
            r#"{"error": {"type": "card_error", "code": "expired_card"}}"#,
        ));
        assert_eq!(no_reason.members()["decline_code"], "expired_card");
    }

    #[test]
    fn a_stripe_that_is_down_slow_or_limiting_is_503_with_retry_after() {
        let api_error = r#"{"error": {"type": "api_error", "message": "Stripe's words"}}"#;
        let down = [500, 502, 503, 429, 409, 401].map(|status| stripe_error(status, api_error));
        let silent = [
            StripeError::Timeout,
            StripeError::ClientError("reset".into()),
            StripeError::JSONDeserialize("<html>".into()),
        ];
        for error in down.iter().chain(&silent) {
            let ours = failed(error);
            assert!(ours.is(&catalogue::PAYMENTS_UNAVAILABLE), "{error}");
            assert!(
                ours.retry_after_seconds().is_some() && !ours.detail().contains("words"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_stripe_refuses_otherwise_is_our_fault_and_opaque() {
        let body = r#"{"error": {"type": "invalid_request_error", "code": "amount_too_small", "message": "Stripe's words"}}"#;
        let error = failed(&stripe_error(400, body));
        assert_eq!(error.code().kind, Kind::Internal);
        assert!(!error.detail().contains("words"));
        assert!(!is_transient(&stripe_error(400, body)));
    }

    #[test]
    fn waiting_doubles_up_to_a_limit() {
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
