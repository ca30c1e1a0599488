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
}

macro_rules! catalogue {
    ($($name:ident $code:literal $kind:ident $title:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $title, ".")]
            pub static $name: Code = Code { code: $code, kind: Kind::$kind, title: $title };
        )*
        /// All of them.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

catalogue! {
    MALFORMED_REQUEST "malformed_request" Malformed "The request can't be read";
    INVALID_CURSOR "invalid_cursor" Malformed "The cursor is not one of this list";
    INVALID_SIGNATURE "invalid_signature" Malformed "The signature does not match the body";
    UNSUPPORTED_GRANT_TYPE "unsupported_grant_type" Malformed "The grant type is not supported";
    INVALID_GRANT "invalid_grant" Unauthenticated "The credentials are not valid";
    UNAUTHENTICATED "unauthenticated" Unauthenticated "Sign in first";
    INVALID_TOKEN "invalid_token" Unauthenticated "The access token is not valid";
    INVALID_TICKET "invalid_ticket" Unauthenticated "The ticket is not valid";
    UNKNOWN_ACTION "unknown_action" Malformed "There is no such action";
    FEED_NUMBER_AHEAD "feed_number_ahead" Malformed "The feed has no such number yet";
    CARD_DECLINED "card_declined" PaymentRefused "The card was declined";
    FORBIDDEN "forbidden" Forbidden "Not allowed";
    ACCOUNT_SUSPENDED "account_suspended" Forbidden "The account is suspended";
    OWN_ORDER "own_order" Forbidden "The order is your own";
    ORIGIN_NOT_ALLOWED "origin_not_allowed" Forbidden "The origin is not allowed";
    NOT_FOUND "not_found" NotFound "Not found";
    ILLEGAL_TRANSITION "illegal_transition" Conflict "The order is in another state";
    ORDER_NOT_FUNDED "order_not_funded" Conflict "The order's price is not fully there";
    NO_REVISIONS_LEFT "no_revisions_left" Conflict "No revisions are left";
    NO_HANDOVERS_LEFT "no_handovers_left" Conflict "No handovers are left";
    WORKER_NOT_ELIGIBLE "worker_not_eligible" Conflict "The worker can't take the order";
    WORKER_NOT_EXPECTED "worker_not_expected" Conflict "No worker may be named";
    DEADLINE_NOT_REACHED "deadline_not_reached" Conflict "The deadline has not passed";
    ORDER_NOT_PAYABLE "order_not_payable" Conflict "The order can't be paid for";
    NO_PAYMENT_YET "no_payment_yet" Conflict "The order has no payment yet";
    NO_WORKER_YET "no_worker_yet" Conflict "The order has no worker yet";
    VERSION_CONFLICT "version_conflict" Conflict "The object was changed meanwhile";
    PAYMENT_MISMATCH "payment_mismatch" Conflict "The payment does not belong to the order";
    PRECONDITION_FAILED "precondition_failed" PreconditionFailed "The object has another version";
    BODY_TOO_LARGE "body_too_large" TooLarge "The body is too large";
    UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" UnsupportedMediaType "The media type is not supported";
    VALIDATION_FAILED "validation_failed" Invalid "Some fields are wrong";
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused" Invalid "The idempotency key was used for another request";
    TOO_MANY_REQUESTS "too_many_requests" Throttled "Too many requests";
    INTERNAL "internal" Internal "Internal error";
    PAYMENTS_UNAVAILABLE "payments_unavailable" Unavailable "Payments are unavailable";
    REPLAY_UNFINISHED "replay_unfinished" Unavailable "There is more than one hello can replay";
    DATABASE_UNAVAILABLE "database_unavailable" Unavailable "The database is unavailable";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let mut codes: Vec<_> = ALL.iter().map(|c| c.code).collect();
        assert!(codes.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')), "{codes:?}");
        codes.sort_unstable();
        let before = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), before);
    }
}
