//! Parses a request's fields into domain types. A refusal names every wrong, missing and unknown
//! field at once.
//!
//! ```ignore
//! let mut body = request.fields()?;
//! let name = body.required("name", text(Name::parse));
//! let note = body.optional("note", text(Note::parse));
//! let (name, note) = body.finish((name, note))?;
//! ```

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::error::{Error, FieldError, Invalid, Result, catalogue};

/// What is wrong with a field or with the fields inside it (`price`, `price.amount`).
pub type FieldErrors = Vec<FieldError>;

/// The fields of a JSON object or of a query string, read one by one.
#[derive(Debug)]
pub struct Fields {
    map: Map<String, Value>,
    known: Vec<&'static str>,
    ignores_unknown: bool,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(super) fn new(map: Map<String, Value>, errors: Vec<FieldError>) -> Self {
        Self { map, known: Vec::new(), ignores_unknown: false, errors }
    }

    /// Reads a required field. Returns `None` when it is missing or wrong; [`Fields::finish`] then
    /// reports it.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str, Value) -> std::result::Result<T, FieldErrors>,
    ) -> Option<T> {
        match self.optional(name, parse)? {
            Some(value) => Some(value),
            None => {
                self.errors.push(Invalid::new("required", "This field is required.").at(name));
                None
            }
        }
    }

    /// Reads an optional field. Returns `Some(None)` when it is missing or `null`, and `None` when
    /// it is wrong.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str, Value) -> std::result::Result<T, FieldErrors>,
    ) -> Option<Option<T>> {
        self.known.push(name);
        match self.map.remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => match parse(name, value) {
                Ok(value) => Some(Some(value)),
                Err(errors) => {
                    self.errors.extend(errors);
                    None
                }
            },
        }
    }

    /// Reads all fields as `T`.
    ///
    /// # Errors
    /// Those of [`Fields::finish`].
    pub fn read<T: FieldSet>(mut self) -> Result<T> {
        let value = T::take(&mut self);
        self.finish((value,)).map(|(value,)| value)
    }

    /// Returns the fields of a JSON object that did not come in an HTTP request.
    ///
    /// # Errors
    /// 400 when `value` is not an object.
    pub fn of(value: Value) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self::new(map, Vec::new())),
            _ => Err(Error::new(&catalogue::MALFORMED_REQUEST, "Send a JSON object.")),
        }
    }

    /// Accepts fields that are never read instead of reporting them as unknown.
    pub fn ignore_unknown(&mut self) {
        self.ignores_unknown = true;
    }

    /// Reports a field that is wrong only in combination with others.
    pub fn refuse(&mut self, name: &str, invalid: Invalid) {
        self.errors.push(invalid.at(name));
    }

    /// Returns the values.
    ///
    /// # Errors
    /// 422 naming every field that is wrong, missing or unknown.
    pub fn finish<T: Complete>(mut self, values: T) -> Result<T::Values> {
        let known = std::mem::take(&mut self.known);
        if !self.ignores_unknown {
            self.errors
                .extend(self.map.keys().map(|name| unknown("field", &known).at(name.as_str())));
        }
        match (self.errors.is_empty(), values.complete()) {
            (true, Some(values)) => Ok(values),
            _ => Err(Error::invalid(self.errors)),
        }
    }
}

pub(super) fn unknown(what: &str, known: &[&str]) -> Invalid {
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Invalid::new("unknown", format!("There is no such {what}. Known: {known}."))
}

/// A tuple of values that may be incomplete.
pub trait Complete {
    /// The tuple of complete values.
    type Values;
    /// Returns the values, or `None` when one is missing.
    fn complete(self) -> Option<Self::Values>;
}

macro_rules! complete {
    ($($value:ident)*) => {
        #[allow(non_snake_case, reason = "the type parameters also name the values")]
        impl<$($value),*> Complete for ($(Option<$value>,)*) {
            type Values = ($($value,)*);
            fn complete(self) -> Option<Self::Values> {
                let ($($value,)*) = self;
                Some(($($value?,)*))
            }
        }
    };
}
complete!();
complete!(A);
complete!(A B);
complete!(A B C);
complete!(A B C D);
complete!(A B C D E);
complete!(A B C D E F);

/// The fields of a body or of a query string, declared by [`body!`](super::body).
pub trait FieldSet: Sized {
    /// The names of the fields.
    const NAMES: &'static [&'static str];

    /// Reads them. Returns `None` when one is missing or wrong; [`Fields::finish`] then reports it.
    fn take(fields: &mut Fields) -> Option<Self>;
}

/// A field. A [`FieldValue`] is a required field; an `Option` of one may be missing or `null`.
pub trait Field: Sized {
    /// Reads the field. Returns `None` when it is wrong, or required and missing.
    fn take(fields: &mut Fields, name: &'static str) -> Option<Self>;
}

/// A type that a field can hold.
pub trait FieldValue: Sized {
    /// Parses the value of the field `name`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(name: &str, value: Value) -> std::result::Result<Self, FieldErrors>;
}

impl<T: FieldValue> Field for T {
    fn take(fields: &mut Fields, name: &'static str) -> Option<Self> {
        fields.required(name, T::read)
    }
}

impl<T: FieldValue> Field for Option<T> {
    fn take(fields: &mut Fields, name: &'static str) -> Option<Self> {
        fields.optional(name, T::read)
    }
}

/// Makes a field parser from a parser of text.
pub fn text<T>(
    parse: impl FnOnce(&str) -> std::result::Result<T, Invalid>,
) -> impl FnOnce(&str, Value) -> std::result::Result<T, FieldErrors> {
    move |name, value| match value {
        Value::String(text) => parse(&text).map_err(|invalid| vec![invalid.at(name)]),
        _ => Err(vec![Invalid::new("not_a_string", "Must be a string.").at(name)]),
    }
}

/// Makes a field parser for a list of strings. Errors name the wrong item by its index
/// (`categories[2]`).
pub fn texts<T>(
    parse: impl Fn(&str) -> std::result::Result<T, Invalid>,
) -> impl FnOnce(&str, Value) -> std::result::Result<Vec<T>, FieldErrors> {
    move |name, value| {
        let Value::Array(values) = value else {
            return Err(vec![Invalid::new("not_a_list", "Must be a list of strings.").at(name)]);
        };
        let mut errors = Vec::new();
        let mut parsed = Vec::new();
        for (at, value) in values.into_iter().enumerate() {
            match text(&parse)(&format!("{name}[{at}]"), value) {
                Ok(value) => parsed.push(value),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(parsed) } else { Err(errors) }
    }
}

/// Makes a field parser for any type that `serde` can deserialize. `expected` is the error text:
/// one sentence that says what the field must be.
pub fn json<T: DeserializeOwned>(
    expected: &'static str,
) -> impl FnOnce(&str, Value) -> std::result::Result<T, FieldErrors> {
    move |name, value| {
        serde_json::from_value(value).map_err(|_| vec![Invalid::new("invalid", expected).at(name)])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        let Value::Object(map) = value else { panic!("an object") };
        Fields::new(map, Vec::new())
    }

    fn short(text: &str) -> std::result::Result<String, Invalid> {
        if text.len() < 4 { Ok(text.to_owned()) } else { Err(Invalid::new("too_long", "no")) }
    }

    #[test]
    fn one_error_names_every_wrong_missing_and_unknown_field() {
        let mut body = fields(json!({"a": "long enough", "b": 7, "list": ["ok", "wrong"], "x": 1}));
        let a = body.required("a", text(short));
        let b = body.optional("b", text(short));
        let c = body.required("c", text(short));
        let list = body.optional("list", texts(short));
        let error = body.finish((a, b, c, list)).unwrap_err();
        let named: Vec<_> = error.fields().iter().map(|f| (f.field.as_str(), f.code)).collect();
        assert_eq!(
            named,
            [
                ("a", "too_long"),
                ("b", "not_a_string"),
                ("c", "required"),
                ("list[1]", "too_long"),
                ("x", "unknown")
            ]
        );
    }

    #[test]
    fn correct_fields_are_returned_typed_and_null_counts_as_missing() {
        let mut body = fields(json!({"a": "ok", "b": null}));
        let values = (body.required("a", text(short)), body.optional("b", text(short)));
        assert_eq!(body.finish(values).unwrap(), ("ok".to_owned(), None));
    }
}
