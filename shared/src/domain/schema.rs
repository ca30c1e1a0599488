//! How the API description states our types: JSON Schema (draft 2020-12, which OpenAPI 3.1 uses),
//! from the very constants that parsing uses.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Overrides of the direction of writing, and what is no character ([`super::text`]), within a
/// class of a pattern.
macro_rules! hidden {
    () => {
        r"\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff"
    };
}

/// White space, and what shows nothing by itself ([`super::text`]).
macro_rules! invisible {
    () => {
        r"\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb"
    };
}

/// Characters that a line can't have.
macro_rules! no_line {
    () => {
        concat!(r"\x00-\x1f\x7f-\x9f\u2028\u2029", hidden!())
    };
}

/// Characters that lines can't have: all control characters but line breaks and tabs.
macro_rules! no_lines {
    () => {
        concat!(r"\x00-\x08\x0b-\x1f\x7f-\x9f", hidden!())
    };
}

/// One line.
pub(crate) const ONE_LINE: &str = concat!("^[^", no_line!(), "]*$");
/// As [`ONE_LINE`], with something in it that shows.
pub(crate) const ONE_LINE_NOT_BLANK: &str =
    concat!("^[^", no_line!(), "]*[^", invisible!(), no_line!(), "][^", no_line!(), "]*$");
/// Lines.
pub(crate) const LINES: &str = concat!("^[^", no_lines!(), "]*$");
/// As [`LINES`], with something in it that shows.
pub(crate) const LINES_NOT_BLANK: &str =
    concat!("^[^", no_lines!(), "]*[^", invisible!(), no_lines!(), "][^", no_lines!(), "]*$");

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
    let meanings: String =
        values.iter().map(|(word, meaning)| format!("\n- `{word}`: {}", meaning.trim())).collect();
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
