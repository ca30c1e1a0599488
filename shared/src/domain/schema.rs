//! JSON Schemas of the domain types (draft 2020-12, which OpenAPI 3.1 uses). They use the same
//! constants as parsing, so the API description cannot contradict it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Bidirectional control characters and noncharacters ([`super::text`]), for use in a character
/// class of a pattern.
macro_rules! disallowed {
    () => {
        r"\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff"
    };
}

/// White space and characters that are invisible by themselves ([`super::text`]).
macro_rules! invisible {
    () => {
        r"\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb"
    };
}

/// Characters that are not allowed in a single line.
macro_rules! not_in_line {
    () => {
        concat!(r"\x00-\x1f\x7f-\x9f\u2028\u2029", disallowed!())
    };
}

/// Characters that are not allowed in text with several lines: all control characters except line
/// breaks and tabs.
macro_rules! not_in_lines {
    () => {
        concat!(r"\x00-\x08\x0b-\x1f\x7f-\x9f", disallowed!())
    };
}

/// Matches a single line.
pub(crate) const ONE_LINE: &str = concat!("^[^", not_in_line!(), "]*$");
/// Like [`ONE_LINE`], with at least one visible character.
pub(crate) const ONE_LINE_NOT_BLANK: &str = concat!(
    "^[^",
    not_in_line!(),
    "]*[^",
    invisible!(),
    not_in_line!(),
    "][^",
    not_in_line!(),
    "]*$"
);
/// Matches text with any number of lines.
pub(crate) const LINES: &str = concat!("^[^", not_in_lines!(), "]*$");
/// Like [`LINES`], with at least one visible character.
pub(crate) const LINES_NOT_BLANK: &str = concat!(
    "^[^",
    not_in_lines!(),
    "]*[^",
    invisible!(),
    not_in_lines!(),
    "][^",
    not_in_lines!(),
    "]*$"
);

/// Returns the pattern of a text with at least `min` characters.
pub(crate) const fn pattern(min: usize, multi_line: bool) -> &'static str {
    match (min, multi_line) {
        (0, false) => ONE_LINE,
        (0, true) => LINES,
        (_, false) => ONE_LINE_NOT_BLANK,
        (_, true) => LINES_NOT_BLANK,
    }
}

/// Returns the schema of a string enum, with the meaning of each value.
pub(crate) fn string_enum_schema(description: &str, values: &[(&'static str, &str)]) -> Schema {
    let meanings: String = values
        .iter()
        .map(|(value, meaning)| format!("\n- `{value}`: {}", meaning.trim()))
        .collect();
    json_schema!({
        "type": "string",
        "description": format!("{}\n{meanings}", description.trim()),
        "enum": values.iter().map(|(value, _)| *value).collect::<Vec<_>>(),
    })
}

/// The schema of a [`jiff::Timestamp`].
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
            "description": "A point in time: RFC 3339, in UTC.",
            "examples": ["2026-11-24T12:00:00.123456Z"],
        })
    }
}
