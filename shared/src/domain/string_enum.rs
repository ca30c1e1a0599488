//! Enums whose values are strings: in JSON, in database keys and in text.

/// Defines an enum whose values each have one string. It provides serde's representation, the JSON
/// Schema (with the doc comments as descriptions), `as_str`, `Display` and `ALL`, in the order of
/// definition.
macro_rules! string_enum {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $value_doc:literal])* $value:ident = $string:literal,)+ }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[doc = $value_doc])* #[serde(rename = $string)] $value,)+
        }

        impl $name {
            /// All values.
            pub const ALL: [Self; [$($string),+].len()] = [$(Self::$value),+];

            /// Returns the value's string.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $string,)+
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::domain::schema::string_enum_schema(
                    concat!($($doc, "\n"),*),
                    &[$(($string, concat!($($value_doc),*))),+],
                )
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use string_enum;
