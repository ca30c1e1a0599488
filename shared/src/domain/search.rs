//! Searching by words, in any script: what is searched and what is searched for are folded the same
//! way.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::error::Invalid;

/// The most characters that are searched for.
const MAX: usize = 100;

/// Texts made searchable: a space, and then each word followed by one. Texts are two spaces apart,
/// so that nothing is found across them.
pub fn searchable(texts: &[&str]) -> String {
    texts.iter().map(|text| format!(" {} ", words(text).join(" "))).collect()
}

/// What is searched for: the parts between white space, each of which must be found. Nothing finds
/// everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search(Vec<String>);

impl Search {
    /// Code: `too_long`. What is neither letter, digit nor symbol is not searched for.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() > MAX {
            return Err(Invalid::new("too_long", format!("Must have at most {MAX} characters.")));
        }
        // What is written together (`e-mail`, 網站) is searched for together.
        let parts = text.split_whitespace().map(words).filter(|words| !words.is_empty());
        Ok(Self(parts.map(|words| format!(" {}", words.join(" "))).collect()))
    }

    /// Each must be in the [`searchable`] text: it is found at the beginning of a word.
    pub fn needles(&self) -> impl Iterator<Item = &str> {
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
            "description": "Words in name or description, in any script. Each must begin a word; letter case and accents make no difference.",
            "examples": ["web design"],
        })
    }
}

/// The folded words of a text. Scripts that put no spaces between words are taken character by
/// character, and so are pictographs.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in fold(text).chars() {
        if c.is_alphanumeric() && !stands_alone(c) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if stands_alone(c) {
            words.push(c.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Compatibility form (`ﬁ` is `fi`, full width is normal width), without letter case, without the
/// accents of Latin, Greek and Cyrillic.
fn fold(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let plain = decomposed.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    // Upper case first: `ß` and `SS` meet in `ss`, and `ς` and `σ` in `σ`. Letter by letter: no
    // rule depends on a word's end.
    let folded: String = plain.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    // Upper-casing brings no accents back but that of `ŉ` and its like, which are decomposed by
    // now.
    ComposingNormalizerBorrowed::new_nfkc().normalize(&folded).into_owned()
}

/// Thai, Lao, Myanmar, Khmer; kana, ideographs; symbols and pictographs.
fn stands_alone(c: char) -> bool {
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
        Search::parse(query).unwrap().needles().all(|needle| text.contains(needle))
    }

    #[test]
    fn every_word_is_found_at_the_beginning_of_a_word_in_any_script() {
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
    fn what_is_searched_for_is_bounded_and_what_is_no_word_is_left_out() {
        for nothing in ["", " \t ", "!! ?", "\0"] {
            assert_eq!(Search::parse(nothing), Ok(Search::default()), "{nothing:?}");
        }
        assert_eq!(Search::parse("web !!"), Search::parse("web"));
        assert!(Search::parse(&"設".repeat(100)).is_ok());
        assert_eq!(Search::parse(&"x".repeat(101)).unwrap_err().code, "too_long");
    }
}
