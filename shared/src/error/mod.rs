//! The error type of the whole system. It knows nothing of HTTP: `functions::http` turns it into a
//! problem document, in one place.
//!
//! The message for the caller (`detail`) and the cause for the log (`source`) are separate fields,
//! so that a cause is never shown to a caller by accident.

pub mod catalogue;
mod kind;
mod transition_error;

use std::borrow::Cow;
use std::fmt;

pub use catalogue::Code;
pub use kind::Kind;

pub use crate::domain::error::{FieldError, Invalid};

/// The reason why a request failed.
#[derive(Debug)]
pub struct Error {
    code: &'static Code,
    detail: Cow<'static, str>,
    fields: Vec<FieldError>,
    members: serde_json::Map<String, serde_json::Value>,
    retry_after: Option<u64>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result type of fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Creates an error of the catalogue. `detail` is shown to the caller and says what to do.
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

    /// 500: only the log contains `source`. The caller learns no details.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            &catalogue::INTERNAL,
            "Something went wrong on our side. Try again. If the error persists, report the \
             request id.",
        )
        .with_source(source)
    }

    /// 404: the object does not exist, or the caller may not know that it does.
    pub fn not_found(what: &str) -> Self {
        Self::new(&catalogue::NOT_FOUND, format!("There is no such {what}."))
    }

    /// 405: the path supports only these methods.
    pub fn method_not_allowed(methods: &[&str]) -> Self {
        let allow = methods.join(", ");
        Self::new(&catalogue::METHOD_NOT_ALLOWED, format!("This path supports {allow}."))
            .with_member("allow", allow)
    }

    /// 422: the `Idempotency-Key` was already used for another request.
    pub fn idempotency_key_reused() -> Self {
        Self::new(
            &catalogue::IDEMPOTENCY_KEY_REUSED,
            "The Idempotency-Key was already used for another request. Use a new one.",
        )
    }

    /// 422: lists every invalid field.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self {
            fields,
            ..Self::new(
                &catalogue::VALIDATION_FAILED,
                "Some fields are invalid. `errors` lists each of them.",
            )
        }
    }

    /// 422: one field is invalid.
    pub fn field(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Invalid::new(code, detail).at(field)])
    }

    /// Adds the fields that the error is about.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<FieldError>) -> Self {
        self.fields = fields;
        self
    }

    /// Adds the cause, which only the log shows.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a member to the problem document (RFC 9457, section 3.2), such as the current `version`
    /// of an object in conflict.
    #[must_use]
    pub fn with_member(mut self, member: &str, value: impl Into<serde_json::Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Adds `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Returns the error's catalogue entry.
    pub fn code(&self) -> &'static Code {
        self.code
    }

    /// Returns the explanation for the caller.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the fields that the error is about.
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    /// Returns the additional members of the problem document.
    pub fn members(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.members
    }

    /// Returns the number of seconds for `Retry-After`, if the error has one.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after
    }

    /// Returns the cause as text for the log, or an empty text if the error has no cause.
    pub fn cause(&self) -> String {
        self.source.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Returns whether the error has this catalogue entry.
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
