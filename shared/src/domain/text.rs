//! Text that people write: in any script, with a limited number of characters and without control
//! characters.
//!
//! Each text is converted to Unicode normalization form C (so that texts that look equal are equal)
//! and trimmed before its length is measured.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::error::Invalid;
use super::strings::string_type;

/// The limits of a text type.
struct Limits {
    /// The minimum length: 1, or 0 if the text may be empty.
    min: usize,
    max: usize,
    multi_line: bool,
}

/// Normalizes a text, or returns why it is invalid. Codes: `control_character`, `too_short`,
/// `too_long`.
fn normalize(text: &str, limits: &Limits) -> Result<String, Invalid> {
    let text = if limits.multi_line { text.replace("\r\n", "\n") } else { text.to_owned() };
    let allowed = |c: char| match c {
        '\n' | '\t' => limits.multi_line,
        // Line and paragraph separators break lines, but are not control characters.
        '\u{2028}' | '\u{2029}' => limits.multi_line,
        _ => !c.is_control() && !is_bidi_control(c) && !is_noncharacter(c),
    };
    if !text.trim().chars().all(allowed) {
        let detail =
            "Must not contain control characters or characters that change the text direction.";
        return Err(Invalid::new("control_character", detail));
    }
    let text = nfc(text.trim());
    let length = text.chars().count();
    // A text that must not be empty must contain a visible character.
    if length < limits.min || (limits.min > 0 && text.chars().all(is_invisible)) {
        return Err(Invalid::new("too_short", "Must have at least one visible character."));
    }
    if length > limits.max {
        return Err(Invalid::new(
            "too_long",
            format!("Must have at most {} characters.", limits.max),
        ));
    }
    Ok(text)
}

/// Returns whether a character is a bidirectional embedding, override or isolate. These can make a
/// text look like another one (Unicode TR #36, section 2.2), and right-to-left scripts do not need
/// them. The patterns of [`super::schema`] refuse the same characters.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether a character is the byte order mark or a noncharacter of the Basic Multilingual
/// Plane.
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Returns whether a character is invisible by itself: white space, joiners, fillers and variation
/// selectors.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}')
}

/// Converts to Unicode normalization form C (UAX #15). The tables add nothing to a binary, because
/// the URL parser needs them for host names anyway.
pub(crate) fn nfc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Returns the form in which names are compared: lower case, normalized, with white space collapsed
/// to single spaces.
pub(super) fn comparison_form(text: &str) -> String {
    // The lower case of a normalized text may not be normalized (capital I with dot), so it is
    // normalized again.
    let lower = nfc(&nfc(text).to_lowercase());
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:literal ..= $max:literal, multi_line: $multi_line:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend(
            "minLength" = Self::MIN, "maxLength" = Self::MAX, "pattern" = super::schema::pattern(Self::MIN, $multi_line)
        ))]
        pub struct $name(String);

        impl $name {
            /// The minimum number of characters after trimming.
            pub const MIN: usize = $min;
            /// The maximum number of characters after trimming.
            pub const MAX: usize = $max;

            /// Normalizes, trims and checks a text.
            ///
            /// # Errors
            ///
            /// Code `control_character`, `too_short` or `too_long`.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                normalize(text, &Limits { min: $min, max: $max, multi_line: $multi_line }).map(Self)
            }
        }
        string_type!($name);
    };
}

text!(/// The name of a service: one line.
    Name, 1..=100, multi_line: false);
text!(/// The description of a service.
    Description, 0..=4000, multi_line: true);
text!(/// A category. Letter case and spacing make no difference when categories are compared.
    Category, 1..=40, multi_line: false);
// The length of notes is limited so that an order's whole history fits into one DynamoDB item
// (400 KB).
text!(/// A note on an order or on an event in its history.
    Note, 0..=2000, multi_line: true);
text!(/// The reason for a cancellation, a dispute or its resolution. It must not be blank.
    Reason, 1..=2000, multi_line: true);
text!(/// The text of a message or a broadcast.
    MessageText, 1..=4000, multi_line: true);

impl From<Reason> for Note {
    fn from(reason: Reason) -> Self {
        Self(reason.0)
    }
}

impl Category {
    /// Returns the form in which categories are compared: letter case and spacing make no
    /// difference. It can contain any character except control characters, so in a composite
    /// database key it must come last or be encoded.
    pub fn key(&self) -> CategoryKey {
        CategoryKey(comparison_form(&self.0))
    }
}

/// The form in which categories are compared: `web development` for `Web  Development`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct CategoryKey(String);

/// The schema of [`Category`], because requests may write the category in any letter case and
/// spacing.
impl schemars::JsonSchema for CategoryKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Category::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        Category::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Category::json_schema(generator)
    }
}

impl CategoryKey {
    /// Returns the key of the category with this name, in any letter case and spacing.
    ///
    /// # Errors
    ///
    /// The codes of [`Category::parse`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Category::parse(text).map(|category| category.key())
    }

    /// Returns the key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CategoryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CategoryKey {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<CategoryKey> for String {
    fn from(key: CategoryKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Debug>(parsed: Result<T, Invalid>) -> &'static str {
        parsed.unwrap_err().code
    }

    #[test]
    fn length_is_counted_in_characters_after_trimming() {
        assert_eq!(Name::parse("  設計 и дизайн  ").unwrap().as_str(), "設計 и дизайн");
        assert!(Name::parse(&"設".repeat(100)).is_ok());
        assert_eq!(code(Name::parse(&"設".repeat(101))), "too_long");
        assert_eq!(code(Name::parse(" \t ")), "too_short");
        assert_eq!(Note::parse("").unwrap().as_str(), "");
        assert_eq!(code(Reason::parse("\n")), "too_short");
    }

    #[test]
    fn control_characters_are_refused_except_line_breaks_and_tabs_in_multi_line_text() {
        for bad in ["a\u{0}b", "a\u{1b}[31m", "a\u{7f}b", "a\u{85}b"] {
            assert_eq!(code(Name::parse(bad)), "control_character", "{bad:?}");
            assert_eq!(code(Note::parse(bad)), "control_character", "{bad:?}");
        }
        for allowed in ["a\nb", "a\tb", "a\u{2028}b"] {
            assert_eq!(code(Name::parse(allowed)), "control_character", "{allowed:?}");
            assert!(Note::parse(allowed).is_ok(), "{allowed:?}");
        }
        assert_eq!(Note::parse("a\r\nb").unwrap().as_str(), "a\nb");
        assert_eq!(code(Note::parse("a\rb")), "control_character");
    }

    #[test]
    fn bidirectional_controls_are_refused_but_right_to_left_text_is_not() {
        for bad in ["a\u{202e}b", "a\u{2066}b\u{2069}", "\u{feff}a", "a\u{ffff}b"] {
            assert_eq!(code(Name::parse(bad)), "control_character", "{bad:?}");
            assert_eq!(code(Note::parse(bad)), "control_character", "{bad:?}");
        }
        for good in ["עיצוב אתרים", "تصميم\u{200c}ها", "a\u{200f}b", "👩\u{200d}🎨"]
        {
            assert!(Name::parse(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_required_text_contains_a_visible_character() {
        for nothing in ["\u{200b}", "\u{3164} \u{2060}", "\u{2800}"] {
            assert_eq!(code(Name::parse(nothing)), "too_short", "{nothing:?}");
        }
        assert!(Note::parse("\u{200b}").is_ok());
    }

    #[test]
    fn composed_and_decomposed_forms_are_the_same_text() {
        assert_eq!(Name::parse("Cafe\u{301}").unwrap(), Name::parse("Café").unwrap());
    }

    #[test]
    fn category_keys_ignore_letter_case_and_spacing() {
        let key = |text| Category::parse(text).unwrap().key();
        assert_eq!(key("Web  Development"), key("web development"));
        assert_eq!(key("ДИЗАЙН"), key("дизайн"));
        assert_eq!(key("CAFE\u{301}"), key("café"));
        assert_ne!(key("C"), key("C#"));
        assert_eq!(Category::parse("Web Design").unwrap().as_str(), "Web Design");
    }

    #[test]
    fn the_key_of_a_category_key_is_the_key_itself() {
        for text in ["Web  Development", "İSTANBUL", "ΟΔΟΣ", "STRASSE ß", "C#: x"] {
            let key = CategoryKey::parse(text).unwrap();
            assert_eq!(CategoryKey::parse(key.as_str()), Ok(key));
        }
    }

    #[test]
    fn parsing_a_parsed_text_again_changes_nothing() {
        for text in ["  a\r\n\tb ", "Cafe\u{301}", "\u{1100}\u{1161}"] {
            let note = Note::parse(text).unwrap();
            assert_eq!(Note::parse(note.as_str()), Ok(note));
        }
    }
}
