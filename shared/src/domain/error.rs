//! Says why a value is invalid. ([`crate::domain::order::TransitionError`] says why a change to an
//! order was refused.)

use serde::Serialize;

/// A value that its type does not allow. It does not know which field the value came from;
/// [`Invalid::at`] adds that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    /// A stable code in `snake_case`: `too_short`, `too_long`, `control_character`,
    /// `unknown_currency`, ...
    pub code: &'static str,
    /// A sentence for the caller. It never repeats the value.
    pub detail: String,
}

impl Invalid {
    /// Combines a stable code with a sentence that callers may read.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// Adds the request field that the value came from (`price.amount`, `categories[2]`).
    pub fn at(self, field: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), code: self.code, detail: self.detail }
    }
}

/// One invalid field of a request, as listed in a problem document's `errors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// The path of the field, such as `price.amount` or `categories[2]`.
    pub field: String,
    /// A stable code in `snake_case`.
    pub code: &'static str,
    /// What is wrong with the field.
    pub detail: String,
}
