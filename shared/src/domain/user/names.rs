//! Usernames, e-mail addresses, and the categories that workers serve.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::error::Invalid;
use crate::domain::strings::string_type;
use crate::domain::text::Category;

macro_rules! name_type {
    ($name:ident) => {
        impl $name {
            /// Returns the form that must be unique, which ignores letter case.
            pub fn key(&self) -> String {
                self.0.to_ascii_lowercase()
            }
        }
        string_type!($name);
    };
}

/// A name to sign in with, which other users see: 3 to 32 characters of `A-Za-z0-9._-`. Only ASCII
/// is allowed, so that different names look different.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("minLength" = Self::MIN, "maxLength" = Self::MAX, "pattern" = "^[A-Za-z0-9._-]*$"))]
pub struct Username(String);

impl Username {
    /// The minimum number of characters.
    pub const MIN: usize = 3;
    /// The maximum number of characters.
    pub const MAX: usize = 32;

    /// Trims and checks a username.
    ///
    /// # Errors
    ///
    /// Code `too_short`, `too_long` or `invalid_character`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
            return Err(Invalid::new(
                "invalid_character",
                "Must contain only letters A to Z, digits, dots, underscores and hyphens.",
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
    /// Returns the prefix of the keys of all usernames that start with `text`: 1 to 32 characters
    /// of a username's alphabet, in lower case.
    ///
    /// # Errors
    ///
    /// Code `too_short`, `too_long` or `invalid_character`.
    pub fn parse_prefix(text: &str) -> Result<String, Invalid> {
        let text = text.trim();
        match text.len() {
            0 => Err(Invalid::new("too_short", "Must have at least 1 character.")),
            // A prefix may be shorter than a username.
            1..Self::MIN => Self::parse(&format!("{text}--")).map(|_| text.to_ascii_lowercase()),
            _ => Self::parse(text).map(|name| name.key()),
        }
    }
}

/// An e-mail address: ASCII, at most 254 characters (RFC 5321, section 4.5.3.1), with a domain of
/// at least two parts. Quoted local parts and IP addresses are refused: they are valid, but hardly
/// anyone uses them.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("format" = "email", "maxLength" = Self::MAX, "pattern" = Self::PATTERN))]
pub struct Email(String);

impl std::fmt::Debug for Email {
    /// Hides the address, because e-mail addresses must not appear in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(..)")
    }
}

impl Email {
    /// The maximum number of characters.
    pub const MAX: usize = 254;
    /// The pattern for the API description.
    const PATTERN: &str = concat!(
        r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
        r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
    );

    /// Trims and checks an e-mail address.
    ///
    /// # Errors
    ///
    /// Code `invalid_email` or `too_long`.
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

/// Returns whether the local part is a dot-atom (RFC 5322, section 3.2.3) of at most 64 characters.
fn is_dot_atom(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    local.len() <= 64 && local.split('.').all(is_atom)
}

/// Returns whether the domain follows RFC 1123, section 2.1, and its last label is not a number.
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

/// The categories that a worker serves: at most 20, without duplicates. A worker with an empty list
/// serves all categories.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Category>", into = "Vec<Category>")]
#[schemars(extend("maxItems" = Self::MAX))]
pub struct Categories(Vec<Category>);

impl Categories {
    /// The maximum number of categories.
    pub const MAX: usize = 20;

    /// Creates the list. Of several categories with the same key, it keeps the first.
    ///
    /// # Errors
    ///
    /// Code `too_many` for more than 20 categories.
    pub fn new(categories: Vec<Category>) -> Result<Self, Invalid> {
        let mut keys = std::collections::HashSet::new();
        let kept: Vec<_> =
            categories.into_iter().filter(|category| keys.insert(category.key())).collect();
        if kept.len() > Self::MAX {
            return Err(Invalid::new("too_many", "Must have at most 20 categories."));
        }
        Ok(Self(kept))
    }

    /// Returns the categories in their given order.
    pub fn iter(&self) -> impl Iterator<Item = &Category> {
        self.0.iter()
    }

    /// Returns whether the list is empty: such a worker serves all categories.
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
    fn a_username_has_3_to_32_allowed_characters_and_ignores_letter_case() {
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
    fn a_username_prefix_may_be_shorter_than_a_username() {
        assert_eq!(Username::parse_prefix("A").unwrap(), "a");
        assert_eq!(Username::parse_prefix("Ada.").unwrap(), "ada.");
        for bad in ["", "#", "a~", "a b", "é", &"x".repeat(33)] {
            assert!(Username::parse_prefix(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_e_mail_address_has_a_dot_atom_and_a_domain_with_a_dot() {
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
    fn there_are_at_most_20_categories_without_duplicates() {
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
