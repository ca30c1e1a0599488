//! Every error code that a caller can see: the code, the docs and the tests share this list.

use super::Kind;

/// One entry of the catalogue. Codes are stable: clients match on them.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable name, `snake_case`; also the last part of the problem's `type`.
    pub code: &'static str,
    /// What the caller can do about it.
    pub kind: Kind,
    /// The problem's `title`: the same for every occurrence.
    pub title: &'static str,
    /// What to do about it; `detail` may know more.
    pub remedy: &'static str,
}

macro_rules! catalogue {
    ($($name:ident $code:literal $kind:ident $title:literal $remedy:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $title, ".")]
            pub static $name: Code = Code { code: $code, kind: Kind::$kind, title: $title, remedy: $remedy };
        )*
        /// All of them.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

catalogue! {
    MALFORMED_REQUEST "malformed_request" Malformed "The request can't be read"
        "Send well-formed JSON (RFC 8259): one object, in UTF-8, without a byte order mark, each name once.";
    INVALID_CURSOR "invalid_cursor" Malformed "The cursor is not one of this list"
        "Take `next_cursor` from the page before, as it was given, and repeat that request's other parameters.";
    INVALID_SIGNATURE "invalid_signature" Malformed "The signature does not match the body"
        "Sign the body as it is sent, with the endpoint's current secret, not more than five minutes ago.";
    UNSUPPORTED_GRANT_TYPE "unsupported_grant_type" Malformed "The grant type is not supported"
        "Use `password` or `refresh_token` (RFC 6749).";
    INVALID_GRANT "invalid_grant" Unauthenticated "The credentials are not valid"
        "Check name and password, or sign in again: the refresh token was used, is over, or was revoked.";
    UNAUTHENTICATED "unauthenticated" Unauthenticated "Sign in first"
        "Send `Authorization: Bearer` with an access token. `POST /auth/token` gives one.";
    INVALID_TOKEN "invalid_token" Unauthenticated "The access token is not valid"
        "Get a new access token with your refresh token, or sign in again.";
    INVALID_TICKET "invalid_ticket" Unauthenticated "The ticket is not valid"
        "Get a new ticket with `POST /live/tickets`; each opens one socket, within a minute.";
    UNKNOWN_ACTION "unknown_action" Malformed "There is no such action"
        "Send one of the actions that the socket knows: `hello`, `ping`.";
    FEED_NUMBER_AHEAD "feed_number_ahead" Malformed "The feed has no such number yet"
        "Say the number of the last entry that you have seen; 0 for none.";
    FEED_NUMBER_TOO_OLD "feed_number_too_old" Malformed "Entries after the number are not kept any more"
        "Load anew what you make of the feed, and go on with the entries from `oldest`.";
    CARD_DECLINED "card_declined" PaymentRefused "The card was declined"
        "Pay with another card.";
    FORBIDDEN "forbidden" Forbidden "Not allowed"
        "Use an account whose role may do this.";
    WRONG_PASSWORD "wrong_password" Forbidden "The current password is wrong"
        "Give the password that you sign in with.";
    ACCOUNT_SUSPENDED "account_suspended" Forbidden "The account is suspended"
        "Ask an administrator.";
    OWN_ORDER "own_order" Forbidden "The order is your own"
        "Leave the order to another worker.";
    ORIGIN_NOT_ALLOWED "origin_not_allowed" Forbidden "The origin is not allowed"
        "Open the socket from one of the origins that the stack allows.";
    METHOD_NOT_ALLOWED "method_not_allowed" MethodNotAllowed "The method is not one of this address"
        "Use one of the methods that `Allow` names.";
    NOT_FOUND "not_found" NotFound "Not found"
        "Check the address. What you may not know of is not found either.";
    OWN_ACCOUNT "own_account" Conflict "The account is your own"
        "Have another administrator do it.";
    NAME_TAKEN "name_taken" Conflict "The name is taken"
        "Choose another: `errors` names what is taken.";
    LAST_ADMIN "last_admin" Conflict "The last administrator stays"
        "Make another active administrator first.";
    ADMIN_EXISTS "admin_exists" Conflict "There is an administrator already"
        "Have an administrator make others: `POST /users`.";
    ILLEGAL_TRANSITION "illegal_transition" Conflict "The order is in another state"
        "Read the order again: `actions` names what you may do now.";
    ORDER_NOT_FUNDED "order_not_funded" Conflict "The order's price is not fully there"
        "Wait until the whole price is paid.";
    NO_REVISIONS_LEFT "no_revisions_left" Conflict "No revisions are left"
        "Complete the order, or dispute it.";
    NO_HANDOVERS_LEFT "no_handovers_left" Conflict "No handovers are left"
        "Deliver the order, or have an administrator cancel it.";
    WORKER_NOT_ELIGIBLE "worker_not_eligible" Conflict "The worker can't take the order"
        "Name another active worker, who is not the order's client.";
    WORKER_NOT_EXPECTED "worker_not_expected" Conflict "No worker may be named"
        "Name no worker with this move.";
    DEADLINE_NOT_REACHED "deadline_not_reached" Conflict "The deadline has not passed"
        "Wait for the order's `deadline`.";
    ORDER_NOT_PAYABLE "order_not_payable" Conflict "The order can't be paid for"
        "Place a new order.";
    NO_PAYMENT_YET "no_payment_yet" Conflict "The order has no payment yet"
        "Ask for the payment first: `POST /orders/{id}/payment`.";
    NO_WORKER_YET "no_worker_yet" Conflict "The order has no worker yet"
        "Wait until a worker has accepted the order.";
    VERSION_CONFLICT "version_conflict" Conflict "The object was changed meanwhile"
        "Read it again, and repeat the change if it is still what you want.";
    PAYMENT_MISMATCH "payment_mismatch" Conflict "The payment does not belong to the order"
        "Report it: the payment at Stripe is not the one that the order asked for.";
    PRECONDITION_FAILED "precondition_failed" PreconditionFailed "The object has another version"
        "Read it again, and repeat the change with the new `ETag` if it is still what you want.";
    BODY_TOO_LARGE "body_too_large" TooLarge "The body is too large"
        "Send less: 64 KiB at most (1 MiB on the Stripe webhook).";
    UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" UnsupportedMediaType "The media type is not supported"
        "Send `Content-Type: application/json`, without a content encoding.";
    VALIDATION_FAILED "validation_failed" Invalid "Some fields are wrong"
        "`errors` names every wrong field, with a code and a sentence for each.";
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused" Invalid "The idempotency key was used for another request"
        "Use a new key for a new request, and the same key only for the same request.";
    TOO_MANY_REQUESTS "too_many_requests" Throttled "Too many requests"
        "Wait for as many seconds as `Retry-After` says.";
    INTERNAL "internal" Internal "Internal error"
        "Try again. If it stays, report the `request_id`.";
    PAYMENTS_UNAVAILABLE "payments_unavailable" Unavailable "Payments are unavailable"
        "Try again after `Retry-After`, with the same `Idempotency-Key`.";
    REPLAY_UNFINISHED "replay_unfinished" Unavailable "There is more than one hello can replay"
        "Say hello again, with the numbers of the last entries that came.";
    TIMED_OUT "timed_out" Unavailable "It took too long"
        "Read the object: it may have taken effect. Or send the request again with its `Idempotency-Key`.";
    DATABASE_UNAVAILABLE "database_unavailable" Unavailable "The database is unavailable"
        "Try again after `Retry-After`, with the same `Idempotency-Key`.";
}

/// The catalogue as `docs/problems.md` has it.
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

Every error is a problem document (RFC 9457, `application/problem+json`). Its `code` is stable: match on it, not on sentences. Its `type` is
`/docs/problems/` and the code. `detail` says what is wrong this time; with `validation_failed`, `errors` names every wrong field as `{field, code,
detail}`. `request_id` is what to report.

This page is generated from `shared/src/error/catalogue.rs`.

| status | code | title | what to do |
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

    /// `UPDATE_DOCS=1 cargo test -p shared catalogue` writes it anew.
    #[test]
    fn the_problems_in_the_docs_are_the_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");
        let expected = markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            expected,
            "UPDATE_DOCS=1 writes it anew"
        );
    }
}
