//! Why a value was not accepted. (Why an order did not move is
//! [`crate::domain::order::TransitionError`].)

use serde::Serialize;

/// A value that is not what its type allows. It does not know which field it came from:
/// [`Invalid::at`] says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    /// Stable, `snake_case`: `too_short`, `too_long`, `control_character`, `unknown_currency`, ...
    pub code: &'static str,
    /// A sentence for the caller. It never repeats the value.
    pub detail: String,
}

impl Invalid {
    /// A code of the catalogue and a sentence that may be shown.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// The same, said of a request's field (`price.amount`, `categories[2]`).
    pub fn at(self, field: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), code: self.code, detail: self.detail }
    }
}

/// One wrong field of a request, in the shape of a problem document's `errors` member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// Path of the field in the request body.
    pub field: String,
    /// Stable, `snake_case`.
    pub code: &'static str,
    /// A sentence for the caller.
    pub detail: String,
}
