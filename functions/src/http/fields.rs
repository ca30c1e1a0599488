//! A request's fields, parsed at the edge into types that can't be wrong. Every wrong field is
//! found before the request is refused, and so is every field that nobody asked for.
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

/// Why a field is wrong: itself, or fields within it (`price` and `price.amount`).
pub type FieldErrors = Vec<FieldError>;

/// The fields of a JSON object or of a query string, taken one by one.
#[derive(Debug)]
pub struct Fields {
    map: Map<String, Value>,
    asked: Vec<&'static str>,
    ignores_unknown: bool,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(super) fn new(map: Map<String, Value>, errors: Vec<FieldError>) -> Self {
        Self { map, asked: Vec::new(), ignores_unknown: false, errors }
    }

    /// A field that must be there. `None` when it is missing or wrong, which [`Fields::finish`]
    /// will say.
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

    /// A field that may be missing or `null`: `Some(None)` then, and `None` when it is wrong.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str, Value) -> std::result::Result<T, FieldErrors>,
    ) -> Option<Option<T>> {
        self.asked.push(name);
        match self.map.remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => match parse(name, value) {
                Ok(value) => Some(Some(value)),
                Err(problem) => {
                    self.errors.extend(problem);
                    None
                }
            },
        }
    }

    /// All of them, read as `T`.
    pub fn read<T: FieldSet>(mut self) -> Result<T> {
        let value = T::take(&mut self);
        self.finish((value,)).map(|(value,)| value)
    }

    /// The fields of a JSON object that came otherwise than in a request.
    pub fn of(value: Value) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self::new(map, Vec::new())),
            _ => Err(Error::new(&catalogue::MALFORMED_REQUEST, "Send a JSON object.")),
        }
    }

    /// Takes fields that nobody asks for for none.
    pub fn ignore_unknown(&mut self) {
        self.ignores_unknown = true;
    }

    /// Adds a fault that only shows when fields are seen together.
    pub fn refuse(&mut self, name: &str, invalid: Invalid) {
        self.errors.push(invalid.at(name));
    }

    /// The values, if every field was right and none was unknown; otherwise 422 naming all that are
    /// wrong.
    pub fn finish<T: Complete>(mut self, values: T) -> Result<T::Values> {
        let asked = std::mem::take(&mut self.asked);
        if !self.ignores_unknown {
            self.errors
                .extend(self.map.keys().map(|name| unknown("field", &asked).at(name.as_str())));
        }
        match (self.errors.is_empty(), values.complete()) {
            (true, Some(values)) => Ok(values),
            _ => Err(Error::invalid(self.errors)),
        }
    }
}

pub(super) fn unknown(what: &str, known: &[&str]) -> Invalid {
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Invalid::new("unknown", format!("There is no such {what}; known: {known}."))
}

/// Values that are all there.
pub trait Complete {
    /// The values themselves.
    type Values;
    /// All of them, or `None` when one is not there.
    fn complete(self) -> Option<Self::Values>;
}

macro_rules! complete {
    ($($value:ident)*) => {
        #[allow(non_snake_case, reason = "the type parameters name the values, too")]
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
    /// Their names.
    const NAMES: &'static [&'static str];

    /// Takes them from a request. `None` when one is missing or wrong, which [`Fields::finish`]
    /// will say.
    fn take(fields: &mut Fields) -> Option<Self>;
}

/// A field: a [`FieldValue`] that must be there, or an `Option` of one, which may be missing or
/// `null`.
pub trait Field: Sized {
    /// Takes it from a request; `None` when it is wrong, or missing and must not be.
    fn take(fields: &mut Fields, name: &'static str) -> Option<Self>;
}

/// What a field can hold.
pub trait FieldValue: Sized {
    /// Reads it, or says what is wrong with it under the name that is given.
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

/// A parser for a field that is text.
pub fn text<T>(
    parse: impl FnOnce(&str) -> std::result::Result<T, Invalid>,
) -> impl FnOnce(&str, Value) -> std::result::Result<T, FieldErrors> {
    move |name, value| match value {
        Value::String(text) => parse(&text).map_err(|invalid| vec![invalid.at(name)]),
        _ => Err(vec![Invalid::new("not_a_string", "Must be a string.").at(name)]),
    }
}

/// A parser for a field that is a list of texts; a wrong one is named by its place
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
                Err(problem) => errors.extend(problem),
            }
        }
        if errors.is_empty() { Ok(parsed) } else { Err(errors) }
    }
}

/// A parser for whatever `serde` can read as `T`, with one sentence for what it should have been.
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
    fn every_wrong_missing_and_unknown_field_is_named_in_one_answer() {
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
    fn right_fields_come_out_typed_and_null_is_absent() {
        let mut body = fields(json!({"a": "ok", "b": null}));
        let values = (body.required("a", text(short)), body.optional("b", text(short)));
        assert_eq!(body.finish(values).unwrap(), ("ok".to_owned(), None));
    }
}
