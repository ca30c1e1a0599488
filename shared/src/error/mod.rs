//! One error for the whole system. It knows nothing of HTTP: `functions::http` turns it into a
//! problem document, in one place.
//!
//! The message that a caller may see (`detail`) and the cause that only the log may see (`source`)
//! are two fields, so that one can't become the other by accident.

pub mod catalogue;
mod transition_error;

use std::borrow::Cow;
use std::fmt;

pub use catalogue::Code;

pub use crate::domain::error::{FieldError, Invalid};

/// What a caller can do about an error; each kind is one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request can't be read: 400.
    Malformed,
    /// Who is calling is unknown: 401.
    Unauthenticated,
    /// The card was refused: 402.
    PaymentRefused,
    /// Known, and not allowed: 403.
    Forbidden,
    /// Not there, or not for the caller to know of: 404.
    NotFound,
    /// There, but not for this method: 405, with `Allow`.
    MethodNotAllowed,
    /// The object is in another state than the request needs: 409.
    Conflict,
    /// `If-Match` named another version: 412.
    PreconditionFailed,
    /// The body is too large: 413.
    TooLarge,
    /// The body's media type is not understood: 415.
    UnsupportedMediaType,
    /// Readable, and wrong: 422.
    Invalid,
    /// Too many requests: 429, with `Retry-After`.
    Throttled,
    /// Our fault: 500, opaque.
    Internal,
    /// A service we depend on is unavailable: 503, try again.
    Unavailable,
}

impl Kind {
    /// The HTTP status of RFC 9110 (and RFC 6585 for 429).
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

/// Anything that keeps a request from being answered as asked.
#[derive(Debug)]
pub struct Error {
    code: &'static Code,
    detail: Cow<'static, str>,
    fields: Vec<FieldError>,
    members: serde_json::Map<String, serde_json::Value>,
    retry_after: Option<u64>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the catalogue; `detail` is shown to the caller and says what to do.
    pub fn new(code: &'static Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            fields: Vec::new(),
            members: serde_json::Map::new(),
            retry_after: None,
            source: None,
        }
    }

    /// 500: the caller learns nothing, the log learns `source`.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            &catalogue::INTERNAL,
            "Something went wrong on our side. Try again; if it stays, report the request id.",
        )
        .with_source(source)
    }

    /// 404 for an object that is not there, or that the caller may not know of.
    pub fn not_found(what: &str) -> Self {
        Self::new(&catalogue::NOT_FOUND, format!("There is no such {what}."))
    }

    /// 405 for an address that has only these methods.
    pub fn method_not_allowed(methods: &[&str]) -> Self {
        let allow = methods.join(", ");
        Self::new(&catalogue::METHOD_NOT_ALLOWED, format!("This address takes {allow}."))
            .with("allow", allow)
    }

    /// 422 for an `Idempotency-Key` that came before, with another request.
    pub fn key_reused() -> Self {
        Self::new(
            &catalogue::IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key came with another request. Use a new one.",
        )
    }

    /// 422 naming every wrong field.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self {
            fields,
            ..Self::new(
                &catalogue::VALIDATION_FAILED,
                "Some fields are wrong; `errors` names each.",
            )
        }
    }

    /// 422 for one field.
    pub fn field(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Invalid::new(code, detail).at(field)])
    }

    /// Names the fields that it is about.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<FieldError>) -> Self {
        self.fields = fields;
        self
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a member to the problem document (RFC 9457, section 3.2), such as the current `version`
    /// with a conflict.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<serde_json::Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Adds `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Its entry in the catalogue.
    pub fn code(&self) -> &'static Code {
        self.code
    }

    /// What the caller may read.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Wrong fields, with [`Kind::Invalid`].
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    /// Further members of the problem document.
    pub fn members(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.members
    }

    /// Seconds for `Retry-After`.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after
    }

    /// What the log may read of its cause; empty when there is none.
    pub fn cause(&self) -> String {
        self.source.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether it is this entry of the catalogue.
    pub fn is(&self, code: &Code) -> bool {
        self.code.code == code.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.code, self.detail)?;
        self.fields.iter().try_for_each(|field| write!(f, " {}: {}", field.field, field.detail))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
