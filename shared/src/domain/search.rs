//! Word search in any script. The searched texts and the query are normalized in the same way.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::error::Invalid;

/// The maximum number of characters of a query.
const MAX: usize = 100;

/// Returns the normalized words of the texts, in which [`Search::terms`] are looked up. Each word
/// is preceded and followed by a space, and there are two spaces between texts, so that no term
/// matches across two texts.
pub fn searchable(texts: &[&str]) -> String {
    texts.iter().map(|text| format!(" {} ", tokenize(text).join(" "))).collect()
}

/// A search query: terms separated by white space, all of which must match. An empty query matches
/// everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search(Vec<String>);

impl Search {
    /// Parses a query. Punctuation is ignored.
    ///
    /// # Errors
    ///
    /// Code `too_long` if the text has more than 100 characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() > MAX {
            return Err(Invalid::new("too_long", format!("Must have at most {MAX} characters.")));
        }
        // Words written together (`e-mail`, 網站) form one term.
        let parts = text.split_whitespace().map(tokenize).filter(|words| !words.is_empty());
        Ok(Self(parts.map(|words| format!(" {}", words.join(" "))).collect()))
    }

    /// Returns the terms. A text matches if its [`searchable`] form contains all of them. A term
    /// matches only at the beginning of a word.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl schemars::JsonSchema for Search {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Search".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "maxLength": MAX,
            "description": "The words to search for in names and descriptions, in any script. Each \
                matches the beginning of a word, ignoring letter case and accents. All must match. \
                Default: all services.",
            "examples": ["web design"],
        })
    }
}

/// Splits a text into normalized words. In scripts without spaces between words, each character is
/// a word, and so is each pictograph.
fn tokenize(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in normalize(text).chars() {
        if c.is_alphanumeric() && !is_word_by_itself(c) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if is_word_by_itself(c) {
            words.push(c.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Normalizes a text: converts it to compatibility form (`ﬁ` becomes `fi`, full width becomes
/// normal width), and removes letter case and the accents of Latin, Greek and Cyrillic letters.
fn normalize(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let plain = decomposed.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    // Upper case first, so that `ß` equals `SS` (both become `ss`) and `ς` equals `σ`. Each letter
    // is converted on its own, because the rules for the end of a word must not apply.
    let folded: String = plain.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    // Converting to upper case adds no accents, except to `ŉ` and similar letters, which are
    // decomposed at this point.
    ComposingNormalizerBorrowed::new_nfkc().normalize(&folded).into_owned()
}

/// Returns whether a character is a word by itself: Thai, Lao, Myanmar, Khmer; kana, ideographs;
/// symbols and pictographs.
fn is_word_by_itself(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2600}'..='\u{27bf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, text: &str) -> bool {
        let text = searchable(&[text, "Second text"]);
        Search::parse(query).unwrap().terms().all(|term| text.contains(term))
    }

    #[test]
    fn every_term_matches_the_beginning_of_a_word_in_any_script() {
        for (query, text) in [
            ("desi", "Web Design"),
            ("design WEB", "Web Design"),
            ("web second", "Web Design"),
            ("cafe", "Le Café"),
            ("CAFÉ", "le cafe\u{301}"),
            ("strasse", "Die Straße"),
            ("οδοσ", "ΟΔΟΣ"),
            ("οδός", "οδος"),
            ("istanbul", "İSTANBUL"),
            ("ДИЗ", "дизайн"),
            ("елка", "Ёлка"),
            ("設計", "網站設計"),
            ("サイト", "Ｗｅｂ サイト"),
            ("web", "Ｗｅｂ サイト"),
            ("웹사", "웹사이트 제작"),
            ("हिन्दी", "हिन्दी अनुवाद"),
            ("ออกแบบ", "รับออกแบบเว็บ"),
            ("fi", "ﬁne art"),
            ("e-mail", "E-mail set-up"),
            ("🎨", "Art 🎨"),
            ("3d", "3D printing"),
        ] {
            assert!(finds(query, text), "{query} in {text}");
        }
        for (query, text) in [
            ("esign", "Web Design"),
            ("web print", "Web Design"),
            ("design-web", "Web Design"),
            ("design-second", "Web Design"),
            ("計設", "網站設計"),
            ("मन", "हिन्दी अनुवाद"),
        ] {
            assert!(!finds(query, text), "{query} in {text}");
        }
    }

    #[test]
    fn queries_are_limited_in_length_and_ignore_punctuation() {
        for nothing in ["", " \t ", "!! ?", "\0"] {
            assert_eq!(Search::parse(nothing), Ok(Search::default()), "{nothing:?}");
        }
        assert_eq!(Search::parse("web !!"), Search::parse("web"));
        assert!(Search::parse(&"設".repeat(100)).is_ok());
        assert_eq!(Search::parse(&"x".repeat(101)).unwrap_err().code, "too_long");
    }
}
