//! The code that all validated string types share.

/// Implements what follows from the `parse` function of a newtype over `String`: `as_str`,
/// `Display`, `FromStr`, and the conversions that serde uses (`try_from = "String", into =
/// "String"`). Deserializing calls `parse`, so it refuses whatever `parse` refuses.
macro_rules! string_type {
    ($name:ident) => {
        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::domain::error::Invalid;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::domain::error::Invalid;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

pub(crate) use string_type;
