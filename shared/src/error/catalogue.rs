//! The error catalogue: every error code that callers can see. The code, the docs and the tests use
//! this list.

use super::kind::Kind;

/// An entry of the catalogue. Codes are stable, because clients match on them.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable name in `snake_case`. It is also the last part of the problem's `type`.
    pub code: &'static str,
    /// The kind of error, which decides the HTTP status.
    pub kind: Kind,
    /// The problem's `title`, which is the same for every occurrence.
    pub title: &'static str,
    /// What the caller can do about it. The problem's `detail` can be more specific.
    pub remedy: &'static str,
}

macro_rules! catalogue {
    ($($name:ident $code:literal $kind:ident $title:literal $remedy:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $title, ".")]
            pub static $name: Code = Code { code: $code, kind: Kind::$kind, title: $title, remedy: $remedy };
        )*
        /// All entries.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

catalogue! {
    MALFORMED_REQUEST "malformed_request" Malformed "The request could not be read"
        "Send one well-formed JSON object (RFC 8259) in UTF-8, without a byte order mark and \
         without duplicate names.";
    INVALID_CURSOR "invalid_cursor" Malformed "The cursor does not belong to this list"
        "Use `next_cursor` from the previous page unchanged, and repeat that request's other \
         parameters.";
    INVALID_SIGNATURE "invalid_signature" Malformed "The signature does not match the body"
        "Sign the body exactly as sent, with the endpoint's current secret, and send it \
         within five minutes.";
    UNSUPPORTED_GRANT_TYPE "unsupported_grant_type" Malformed "The grant type is not supported"
        "Use `password` or `refresh_token` (RFC 6749).";
    INVALID_GRANT "invalid_grant" Unauthenticated "The credentials are not valid"
        "Check the username and password. If you used a refresh token, it was used before, \
         has expired or was revoked: sign in again.";
    UNAUTHENTICATED "unauthenticated" Unauthenticated "Authentication is required"
        "Send `Authorization: Bearer` with an access token. `POST /auth/token` returns one.";
    INVALID_TOKEN "invalid_token" Unauthenticated "The access token is not valid"
        "Get a new access token with your refresh token, or sign in again.";
    INVALID_TICKET "invalid_ticket" Unauthenticated "The ticket is not valid"
        "Get a new ticket with `POST /live/tickets`. A ticket opens one socket and is valid \
         for 60 seconds.";
    UNKNOWN_ACTION "unknown_action" Malformed "The action is unknown"
        "Send `hello` or `ping`, the actions that the socket supports.";
    FEED_NUMBER_AHEAD "feed_number_ahead" Malformed "The feed has not reached this number"
        "Send the number of the last entry that you received, or 0 if you received none.";
    FEED_NUMBER_TOO_OLD "feed_number_too_old" Malformed "The entries after this number are no longer stored"
        "Reload what you derived from the feed, then continue with the entries from `oldest`.";
    CARD_DECLINED "card_declined" PaymentRefused "The card was declined"
        "Pay with another card.";
    FORBIDDEN "forbidden" Forbidden "Not allowed"
        "Use an account whose role allows this.";
    WRONG_PASSWORD "wrong_password" Forbidden "The current password is wrong"
        "Send the password that you sign in with.";
    ACCOUNT_SUSPENDED "account_suspended" Forbidden "The account is suspended"
        "Contact an administrator.";
    OWN_ORDER "own_order" Forbidden "The order is your own"
        "Claim another order. You placed this one yourself.";
    ORIGIN_NOT_ALLOWED "origin_not_allowed" Forbidden "The origin is not allowed"
        "Open the socket from one of the origins that the deployment allows.";
    METHOD_NOT_ALLOWED "method_not_allowed" MethodNotAllowed "The method is not allowed"
        "Use one of the methods listed in `Allow`.";
    NOT_FOUND "not_found" NotFound "Not found"
        "Check the path and the id. Objects that you may not see are also reported as not found.";
    OWN_ACCOUNT "own_account" Conflict "The account is your own"
        "Ask another administrator to do this.";
    NAME_TAKEN "name_taken" Conflict "The username or e-mail address is taken"
        "Choose another one. `errors` says which field is taken.";
    LAST_ADMIN "last_admin" Conflict "This is the last administrator"
        "Create another active administrator first.";
    ADMIN_EXISTS "admin_exists" Conflict "There is already an administrator"
        "Ask an administrator to create another one with `POST /users`.";
    ILLEGAL_TRANSITION "illegal_transition" Conflict "The order's status does not allow this"
        "Read the order again. Its `actions` list what you can do now.";
    ORDER_NOT_FUNDED "order_not_funded" Conflict "The order does not hold its full price"
        "Wait until the order holds its full price again.";
    NO_REVISIONS_LEFT "no_revisions_left" Conflict "No revisions are left"
        "Complete the order or dispute it.";
    NO_HANDOVERS_LEFT "no_handovers_left" Conflict "No handovers are left"
        "The order was released or reassigned as often as it may be. Deliver it, or ask an \
         administrator to cancel it.";
    WORKER_NOT_ELIGIBLE "worker_not_eligible" Conflict "The worker cannot take the order"
        "Name an active worker who is neither the order's client nor its current worker.";
    WORKER_NOT_EXPECTED "worker_not_expected" Conflict "A worker cannot be named here"
        "Remove the worker from the request.";
    DEADLINE_NOT_REACHED "deadline_not_reached" Conflict "The deadline has not passed"
        "Wait until the order's `deadline`.";
    ORDER_NOT_PAYABLE "order_not_payable" Conflict "The order cannot be paid for"
        "Place a new order.";
    NO_PAYMENT_YET "no_payment_yet" Conflict "The order has no payment yet"
        "Start the payment first with `POST /orders/{id}/payment`.";
    NO_WORKER_YET "no_worker_yet" Conflict "The order has no worker yet"
        "Wait until a worker has accepted the order.";
    VERSION_CONFLICT "version_conflict" Conflict "The object was changed by another request"
        "Read the object again, and repeat your change if you still want it.";
    PAYMENT_MISMATCH "payment_mismatch" Conflict "The payment does not belong to the order"
        "Report this to support: the payment at Stripe differs from the one that the order \
         expects.";
    PRECONDITION_FAILED "precondition_failed" PreconditionFailed "The object has another version"
        "Read the object again, and repeat your change with the new `ETag` if you still want it.";
    BODY_TOO_LARGE "body_too_large" TooLarge "The body is too large"
        "Send at most 64 KiB (1 MiB on the Stripe webhook).";
    UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" UnsupportedMediaType "The media type is not supported"
        "Send `Content-Type: application/json` without a content encoding.";
    VALIDATION_FAILED "validation_failed" Invalid "Some fields are invalid"
        "Correct the fields listed in `errors`. Each has a code and an explanation.";
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused" Invalid "The idempotency key was used for another request"
        "Use a new key for each new request, and repeat a key only with the identical request.";
    TOO_MANY_REQUESTS "too_many_requests" Throttled "Too many requests"
        "Wait for the number of seconds in `Retry-After`, then try again.";
    INTERNAL "internal" Internal "Internal error"
        "Try again. If the error persists, report the `request_id`.";
    PAYMENTS_UNAVAILABLE "payments_unavailable" Unavailable "Payments are unavailable"
        "Wait for the number of seconds in `Retry-After`, then try again with the same \
         `Idempotency-Key`.";
    REPLAY_UNFINISHED "replay_unfinished" Unavailable "There are more entries than one hello can replay"
        "Connect again, and send `hello` with the numbers of the last entries that you received.";
    TIMED_OUT "timed_out" Unavailable "The request took too long"
        "It may have taken effect: read the object, or repeat the request with the same \
         `Idempotency-Key`.";
    DATABASE_UNAVAILABLE "database_unavailable" Unavailable "The database is unavailable"
        "Wait for the number of seconds in `Retry-After`, then try again with the same \
         `Idempotency-Key`.";
}

/// Returns the content of `docs/problems.md`.
pub fn markdown() -> String {
    let mut text = PREFACE.to_owned();
    let mut codes = ALL.to_vec();
    codes.sort_by_key(|code| (code.kind.status(), code.code));
    for Code { code, kind, title, remedy } in codes {
        text.push_str(&format!(
            "| {} | <a id=\"{code}\"></a>`{code}` | {title} | {remedy} |\n",
            kind.status()
        ));
    }
    text
}

const PREFACE: &str = "\
# Problems

Every error is a problem document (RFC 9457, `application/problem+json`):

- `code` is stable. Match on it, not on `title` or `detail`.
- `type` is `/docs/problems/` followed by the code.
- `title` is the same for every occurrence of a code, and `detail` explains this occurrence.
- `errors` lists fields as `{field, code, detail}`: every invalid one if the code is
  `validation_failed`, and those that are taken if it is `name_taken`.
- `request_id` identifies the request. Include it when you report a problem.

This page is generated from `shared/src/error/catalogue.rs`.

| Status | Code | Title | What to do |
|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let mut codes: Vec<_> = ALL.iter().map(|c| c.code).collect();
        assert!(
            codes.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')),
            "{codes:?}"
        );
        codes.sort_unstable();
        let before = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), before);
    }

    /// `UPDATE_DOCS=1 cargo test -p shared catalogue` regenerates the page.
    #[test]
    fn the_problems_page_matches_the_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");
        let expected = markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            expected,
            "regenerate it with UPDATE_DOCS=1"
        );
    }
}
