//! How the API description states our types: JSON Schema (draft 2020-12, which OpenAPI 3.1 uses), from the very constants that parsing uses.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// One line: no control characters, no line or paragraph separators.
pub(crate) const ONE_LINE: &str = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$";
/// As [`ONE_LINE`], with something in it beside white space.
pub(crate) const ONE_LINE_NOT_BLANK: &str =
    r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f\u2028\u2029][^\x00-\x1f\x7f-\x9f\u2028\u2029]*$";
/// Lines: no control characters but line breaks and tabs.
pub(crate) const LINES: &str = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$";
/// As [`LINES`], with something in it beside white space.
pub(crate) const LINES_NOT_BLANK: &str =
    r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*[^\s\x00-\x08\x0b-\x1f\x7f-\x9f][^\x00-\x08\x0b-\x1f\x7f-\x9f]*$";

/// The pattern of a text.
pub(crate) const fn pattern(min: usize, multi_line: bool) -> &'static str {
    match (min, multi_line) {
        (0, false) => ONE_LINE,
        (0, true) => LINES,
        (_, false) => ONE_LINE_NOT_BLANK,
        (_, true) => LINES_NOT_BLANK,
    }
}

/// One of these words; each with what it means.
pub(crate) fn words(description: &str, values: &[(&'static str, &str)]) -> Schema {
    let meanings: String = values.iter().map(|(word, meaning)| format!("\n- `{word}`: {}", meaning.trim())).collect();
    json_schema!({
        "type": "string",
        "description": format!("{}\n{meanings}", description.trim()),
        "enum": values.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
    })
}

/// What a [`jiff::Timestamp`] is in JSON.
#[derive(Debug)]
pub struct DateTime;

impl JsonSchema for DateTime {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "A moment: RFC 3339, in UTC.",
            "examples": ["2026-11-24T12:00:00.123456Z"],
        })
    }
}
