//! The kinds of errors, and their HTTP statuses.

/// The kind of an error. Each kind has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 400: the request could not be read.
    Malformed,
    /// 401: the caller is not authenticated.
    Unauthenticated,
    /// 402: the card was declined.
    PaymentRefused,
    /// 403: the caller is authenticated, but not allowed to do this.
    Forbidden,
    /// 404: the object does not exist, or the caller may not know that it does.
    NotFound,
    /// 405: the path exists, but not with this method. Sent with `Allow`.
    MethodNotAllowed,
    /// 409: the object's current state does not allow the request.
    Conflict,
    /// 412: `If-Match` names another version.
    PreconditionFailed,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body's media type is not supported.
    UnsupportedMediaType,
    /// 422: the request could be read, but is invalid.
    Invalid,
    /// 429: too many requests. Sent with `Retry-After`.
    Throttled,
    /// 500: our fault. The caller learns no details.
    Internal,
    /// 503: a service that we depend on is unavailable. The caller can try again.
    Unavailable,
}

impl Kind {
    /// Returns the HTTP status (RFC 9110; RFC 6585 for 429).
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::PaymentRefused => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::Throttled => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}
