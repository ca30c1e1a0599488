//! What users are called and what workers serve.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::error::Invalid;
use crate::domain::strings::string_type;
use crate::domain::text::Category;

macro_rules! name_type {
    ($name:ident) => {
        impl $name {
            /// What makes it unique: the same for every way to write it in upper and lower case.
            pub fn key(&self) -> String {
                self.0.to_ascii_lowercase()
            }
        }
        string_type!($name);
    };
}

/// A name to sign in with and to be shown by: 3 to 32 of `A-Za-z0-9._-`. ASCII, so that no two
/// names look the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("minLength" = Self::MIN, "maxLength" = Self::MAX, "pattern" = "^[A-Za-z0-9._-]*$"))]
pub struct Username(String);

impl Username {
    /// The fewest characters.
    pub const MIN: usize = 3;
    /// The most characters.
    pub const MAX: usize = 32;

    /// Codes: `too_short`, `too_long`, `invalid_character`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
            return Err(Invalid::new(
                "invalid_character",
                "May have letters A to Z, digits, dots, underscores and hyphens.",
            ));
        }
        match text.len() {
            0..Self::MIN => Err(Invalid::new("too_short", "Must have at least 3 characters.")),
            Self::MIN..=Self::MAX => Ok(Self(text.to_owned())),
            _ => Err(Invalid::new("too_long", "Must have at most 32 characters.")),
        }
    }
}

name_type!(Username);

impl Username {
    /// How the keys of names start that start like this: 1 to 32 of their alphabet, in lower case.
    /// Codes: as [`Username::parse`].
    pub fn parse_prefix(text: &str) -> Result<String, Invalid> {
        let text = text.trim();
        match text.len() {
            0 => Err(Invalid::new("too_short", "Must have at least 1 character.")),
            // What is missing to a name is not missing to its start.
            1..Self::MIN => Self::parse(&format!("{text}--")).map(|_| text.to_ascii_lowercase()),
            _ => Self::parse(text).map(|name| name.key()),
        }
    }
}

/// An e-mail address: ASCII, at most 254 characters (RFC 5321 section 4.5.3.1), a dot-atom before
/// the `@` and a domain with at least two labels after it. Quoted local parts and address literals
/// are refused: they are valid, and nobody has one.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("format" = "email", "maxLength" = Self::MAX, "pattern" = Self::PATTERN))]
pub struct Email(String);

impl std::fmt::Debug for Email {
    /// Addresses do not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(..)")
    }
}

impl Email {
    /// The most characters.
    pub const MAX: usize = 254;
    /// As a regular expression, for those who call.
    const PATTERN: &str = concat!(
        r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
        r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
    );

    /// Codes: `invalid_email`, `too_long`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.chars().count() > Self::MAX {
            return Err(Invalid::new("too_long", "Must have at most 254 characters."));
        }
        let well_formed = text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| is_dot_atom(local) && is_domain(domain));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("invalid_email", "Must be an e-mail address such as ada@example.com."))
        }
    }
}

name_type!(Email);

/// RFC 5322 section 3.2.3, at most 64 characters.
fn is_dot_atom(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    local.len() <= 64 && local.split('.').all(is_atom)
}

/// RFC 1123 section 2.1, with a last label that is not a number.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(is_label)
        && last.bytes().any(|b| b.is_ascii_alphabetic())
}

/// The categories that a worker serves: at most 20, none twice. Empty serves all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Category>", into = "Vec<Category>")]
#[schemars(extend("maxItems" = Self::MAX))]
pub struct Categories(Vec<Category>);

impl Categories {
    /// The most that a worker names.
    pub const MAX: usize = 20;

    /// Keeps the first of those that are the same. Codes: `too_many`.
    pub fn new(categories: Vec<Category>) -> Result<Self, Invalid> {
        let mut keys = std::collections::HashSet::new();
        let kept: Vec<_> =
            categories.into_iter().filter(|category| keys.insert(category.key())).collect();
        if kept.len() > Self::MAX {
            return Err(Invalid::new("too_many", "At most 20 categories."));
        }
        Ok(Self(kept))
    }

    /// In the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Category> {
        self.0.iter()
    }

    /// Whether none is named: such a worker serves all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Category>> for Categories {
    type Error = Invalid;
    fn try_from(categories: Vec<Category>) -> Result<Self, Invalid> {
        Self::new(categories)
    }
}

impl From<Categories> for Vec<Category> {
    fn from(categories: Categories) -> Self {
        categories.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_3_to_32_of_its_alphabet_and_unique_in_any_case() {
        for good in ["ada", "A.d-a_1", &"x".repeat(32)] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        let long = "x".repeat(33);
        for (bad, code) in [
            ("ab", "too_short"),
            ("", "too_short"),
            (long.as_str(), "too_long"),
            ("a b", "invalid_character"),
            ("аda", "invalid_character"),
            ("ada#", "invalid_character"),
            ("ada@x", "invalid_character"),
        ] {
            assert_eq!(Username::parse(bad).unwrap_err().code, code, "{bad}");
        }
        assert_eq!(Username::parse("Ada").unwrap().key(), Username::parse("aDA").unwrap().key());
    }

    #[test]
    fn the_start_of_a_name_is_of_its_alphabet_and_may_be_shorter() {
        assert_eq!(Username::parse_prefix("A").unwrap(), "a");
        assert_eq!(Username::parse_prefix("Ada.").unwrap(), "ada.");
        for bad in ["", "#", "a~", "a b", "é", &"x".repeat(33)] {
            assert!(Username::parse_prefix(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_email_has_a_dot_atom_and_a_domain_with_a_dot() {
        for good in [
            "a@b.co",
            "first.last+tag@sub.example.com",
            "x@xn--bcher-kva.example",
            " ada@example.com ",
        ] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        let long_local = format!("{}@example.com", "x".repeat(65));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a da@example.com",
            ".ada@example.com",
            "a..b@example.com",
            "ada@-x.com",
            "ada@x-.com",
            "ada@example..com",
            "ada@1.2.3.4",
            "ada@b@example.com",
            "ädä@example.com",
            "ada@example.com\u{0}",
            long_local.as_str(),
        ] {
            assert_eq!(Email::parse(bad).map_err(|e| e.code), Err("invalid_email"), "{bad:?}");
        }
        let long = format!("a@{}.com", "x.".repeat(130));
        assert_eq!(Email::parse(&long).map_err(|e| e.code), Err("too_long"));
        assert_eq!(Email::parse("Ada@Example.COM").unwrap().key(), "ada@example.com");
    }

    #[test]
    fn categories_are_at_most_20_and_none_twice() {
        let category = |text: &str| Category::parse(text).unwrap();
        let kept =
            Categories::new(vec![category("Design"), category("DESIGN"), category("Writing")])
                .unwrap();
        assert_eq!(kept.iter().map(Category::as_str).collect::<Vec<_>>(), ["Design", "Writing"]);
        let many = |n: usize| Categories::new((0..n).map(|i| category(&format!("c{i}"))).collect());
        assert!(many(20).is_ok());
        assert_eq!(many(21).unwrap_err().code, "too_many");
        assert!(serde_json::from_str::<Categories>(r#"["ok", ""]"#).is_err());
    }
}
