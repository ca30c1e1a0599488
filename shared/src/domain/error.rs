//! Why a value was not accepted. (Why an order did not move is [`crate::domain::order::Refusal`].)

use serde::Serialize;

/// A value that is not what its type allows. It does not know which field it came from: [`Invalid::at`] says so.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Path of the field in the request body.
    pub field: String,
    /// Stable, `snake_case`.
    pub code: &'static str,
    /// A sentence for the caller.
    pub detail: String,
}

/// Collects every wrong field of a request, so that one answer names them all.
///
/// ```
/// # use shared::domain::{error::{Fields, FieldError}, text::{Description, Name}};
/// # fn main() -> Result<(), Vec<FieldError>> {
/// let mut fields = Fields::default();
/// let name = fields.take("name", Name::parse("Web development"));
/// let description = fields.take("description", Description::parse("A site"));
/// let (Some(name), Some(description)) = (name, description) else { return Err(fields.into_errors()) };
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// The value, or `None` with the error kept under the field's name.
    pub fn take<T>(&mut self, field: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|invalid| self.errors.push(invalid.at(field))).ok()
    }

    /// As [`Fields::take`], for a field that may be absent: `Some(None)` when it is, `None` when it is wrong.
    pub fn take_optional<T>(&mut self, field: &str, parsed: Option<Result<T, Invalid>>) -> Option<Option<T>> {
        match parsed {
            None => Some(None),
            Some(parsed) => self.take(field, parsed).map(Some),
        }
    }

    /// Adds an error found by other means.
    pub fn push(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    /// Whether every field so far was right.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The wrong fields, in the order they were taken.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_in_order() {
        let mut fields = Fields::default();
        assert_eq!(fields.take("a", Ok(1)), Some(1));
        assert_eq!(fields.take::<u8>("b", Err(Invalid::new("too_long", "no"))), None);
        assert_eq!(fields.take_optional::<u8>("c", None), Some(None));
        assert_eq!(fields.take_optional::<u8>("d", Some(Err(Invalid::new("too_short", "no")))), None);
        let names: Vec<_> = fields.into_errors().into_iter().map(|e| (e.field, e.code)).collect();
        assert_eq!(names, [("b".to_owned(), "too_long"), ("d".to_owned(), "too_short")]);
    }
}
