//! Requests as types. One declaration is both what a request is parsed into and what the API
//! description says about it, so the two can't differ.
//!
//! ```ignore
//! body! {
//!     /// A new service.
//!     pub struct Body {
//!         /// Shown in lists, and found by search.
//!         name: Name,
//!         note: Option<Note>,
//!     }
//! }
//!
//! let Body { name, note } = request.body_as::<Body>()?;
//! ```

use schemars::JsonSchema;
use serde_json::Value;
use shared::config::Secret;
use shared::domain::feed::Feed;
use shared::domain::ids::{ServiceId, UserId};
use shared::domain::money::{Currency, Money, Price};
use shared::domain::order::Status;
use shared::domain::search::Search;
use shared::domain::service::{ServiceSort, ServiceStatus};
use shared::domain::text::{Category, CategoryKey, Description, MessageText, Name, Note, Reason};
use shared::domain::user::{Categories, Email, Role, UserStatus, Username};
use shared::error::Invalid;

use super::fields::{FieldErrors, FieldValue, json, text, texts};

/// Declares a [`FieldSet`]: a struct whose fields are each a [`FieldValue`] (a required field) or
/// an `Option` of one (an optional field).
macro_rules! body {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(::schemars::JsonSchema)]
        #[schemars(deny_unknown_fields, inline)]
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type,)* }

        impl $crate::http::FieldSet for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            #[expect(clippy::allow_attributes, reason = "a struct without fields does not use its argument")]
            #[allow(unused_variables, reason = "a struct without fields does not use its argument")]
            fn take(fields: &mut $crate::http::Fields) -> Option<Self> {
                // Reads every field before giving up, so that the error names all that are wrong.
                $(let $field = <$type as $crate::http::Field>::take(fields, stringify!($field));)*
                Some(Self { $($field: $field?,)* })
            }
        }
    };
}

pub(crate) use body;

body! {
    /// No fields.
    pub struct Empty {}
}

/// Implements [`FieldValue`] for types that parse themselves from text.
macro_rules! parsed {
    ($($type:ty),* $(,)?) => {$(
        impl FieldValue for $type {
            fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
                text(<$type>::parse)(name, value)
            }
        }
    )*};
}

parsed!(
    Category,
    CategoryKey,
    Currency,
    Description,
    Email,
    Feed,
    MessageText,
    Name,
    Note,
    Reason,
    Search,
    ServiceId,
    UserId,
    Username
);

/// Implements [`FieldValue`] for string enums.
macro_rules! string_enums {
    ($($type:ty),* $(,)?) => {$(
        impl FieldValue for $type {
            fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
                text(|word| one_of(word, &<$type>::ALL, |value| value.as_str()))(name, value)
            }
        }
    )*};
}

string_enums!(Role, ServiceSort, ServiceStatus, Status, UserStatus);

/// Returns the value whose name is `word`.
///
/// # Errors
/// `invalid`, naming every allowed word.
pub fn one_of<T: Copy>(
    word: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, Invalid> {
    let known = || all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(", ");
    let found = all.iter().copied().find(|value| name(*value) == word);
    found.ok_or_else(|| Invalid::new("invalid", format!("Must be one of {}.", known())))
}

impl FieldValue for bool {
    fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
        json("Must be true or false.")(name, value)
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(inline, extend("type" = "integer", "minimum" = MIN, "maximum" = MAX))]
pub struct Number<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> FieldValue for Number<MIN, MAX> {
    fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
        let bounds =
            || Invalid::new("out_of_range", format!("Must be a whole number from {MIN} to {MAX}."));
        let within = |text: &str| {
            text.parse().ok().filter(|n| (MIN..=MAX).contains(n)).map(Self).ok_or_else(bounds)
        };
        text(within)(name, value)
    }
}

impl FieldValue for Secret {
    fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
        text(|secret| Ok(Secret::new(secret)))(name, value)
    }
}

impl FieldValue for Categories {
    fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
        Self::new(texts(Category::parse)(name, value)?).map_err(|invalid| vec![invalid.at(name)])
    }
}

/// `{"amount": 1999, "currency": "usd"}`, within the amounts that Stripe can charge.
impl FieldValue for Price {
    fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
        // JSON Schema counts `1999.0` as an integer. It is refused nevertheless: an amount that was
        // a float somewhere on its way may have been rounded.
        if value["amount"].is_f64() {
            let whole =
                "Must be a whole number of minor units, without a decimal point: 1999 for 19.99.";
            return Err(vec![Invalid::new("not_whole", whole).at(format!("{name}.amount"))]);
        }
        let money: Money = json(
            r#"Must be {"amount": whole minor units, "currency": lower-case ISO 4217 code}."#,
        )(name, value)?;
        Self::parse(money).map_err(|invalid| vec![invalid.at(format!("{name}.amount"))])
    }
}
