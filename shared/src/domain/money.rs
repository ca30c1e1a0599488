//! Money: an integer amount in minor units, with a currency. There are no floats and no conversions
//! between currencies.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::error::Invalid;

/// Code, decimal places, and minimum charge in minor units, for each currency with a minimum charge
/// documented by Stripe (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
const CURRENCIES: &[(&str, u8, i64)] = &[
    ("aed", 2, 200),
    ("aud", 2, 50),
    ("brl", 2, 50),
    ("cad", 2, 50),
    ("chf", 2, 50),
    ("czk", 2, 1500),
    ("dkk", 2, 250),
    ("eur", 2, 50),
    ("gbp", 2, 30),
    ("hkd", 2, 400),
    ("huf", 2, 17_500),
    ("inr", 2, 50),
    ("jpy", 0, 50),
    ("mxn", 2, 1000),
    ("myr", 2, 200),
    ("nok", 2, 300),
    ("nzd", 2, 50),
    ("pln", 2, 200),
    ("ron", 2, 200),
    ("sek", 2, 300),
    ("sgd", 2, 50),
    ("thb", 2, 1000),
    ("usd", 2, 50),
];

/// A lower-case ISO 4217 code of a supported currency ([`Currency::all`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Currency(&'static str);

// A derived implementation would require input that lives for 'static.
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Currency {
    /// The US dollar, which the sample data uses.
    pub const USD: Self = Self("usd");

    /// Returns every currency that a price can have.
    pub fn all() -> impl Iterator<Item = Self> {
        CURRENCIES.iter().map(|&(code, ..)| Self(code))
    }

    /// Accepts a lower-case code of [`Currency::all`].
    ///
    /// # Errors
    ///
    /// Code `unknown_currency` for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let known = CURRENCIES.iter().find(|(code, ..)| *code == text);
        known.map(|&(code, ..)| Self(code)).ok_or_else(|| {
            Invalid::new(
                "unknown_currency",
                "Must be a lower-case ISO 4217 code of a supported currency, such as usd or eur.",
            )
        })
    }

    /// Returns the code, such as `usd`.
    pub fn code(self) -> &'static str {
        self.0
    }

    /// Returns the number of decimal places: 2 for `usd`, 0 for `jpy`.
    pub fn exponent(self) -> u8 {
        self.row().1
    }

    /// Returns the smallest possible price in minor units, which is Stripe's minimum charge.
    pub fn min_price(self) -> i64 {
        self.row().2
    }

    fn row(self) -> (&'static str, u8, i64) {
        CURRENCIES.iter().copied().find(|(code, ..)| *code == self.0).unwrap_or((self.0, 2, 50))
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "enum": Self::all().map(Self::code).collect::<Vec<_>>(),
            "description": "A lower-case ISO 4217 code of a supported currency.",
        })
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Currency {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Currency {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0.to_owned()
    }
}

/// An amount in minor units of a currency. Negative for money that goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The amount in minor units: 1999 is 19.99 dollars, or 1999 yen.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Creates an amount in minor units.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Returns the sum, or `None` if the currencies differ or the sum overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_add(other.amount)?;
        (self.currency == other.currency).then_some(Self { amount, ..self })
    }

    /// Returns the negated amount, or `None` if that overflows (`i64::MIN`).
    pub fn checked_neg(self) -> Option<Self> {
        self.amount.checked_neg().map(|amount| Self { amount, ..self })
    }
}

impl fmt::Display for Money {
    /// Formats the amount for people: `19.99 usd`, `1999 jpy`. Do not compute with the result.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(self.currency.exponent().into());
        let (sign, amount) = (if self.amount < 0 { "-" } else { "" }, self.amount.unsigned_abs());
        match self.currency.exponent() {
            0 => write!(f, "{sign}{amount} {}", self.currency),
            places => {
                write!(
                    f,
                    "{sign}{}.{:0places$} {}",
                    amount / unit,
                    amount % unit,
                    self.currency,
                    places = places.into()
                )
            }
        }
    }
}

/// The price of a service: an amount that Stripe can charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub struct Price(Money);

impl Price {
    /// Stripe's maximum charge, eight digits
    /// (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
    pub const MAX: i64 = 99_999_999;

    /// Accepts any amount from the currency's minimum charge to [`Price::MAX`].
    ///
    /// # Errors
    ///
    /// Code `amount_too_small` or `amount_too_large` for other amounts.
    pub fn parse(money: Money) -> Result<Self, Invalid> {
        let min = money.currency.min_price();
        if money.amount < min {
            let least = Money::new(min, money.currency);
            return Err(Invalid::new(
                "amount_too_small",
                format!("Must be at least {min} minor units ({least})."),
            ));
        }
        if money.amount > Self::MAX {
            return Err(Invalid::new(
                "amount_too_large",
                format!("Must be at most {} minor units.", Self::MAX),
            ));
        }
        Ok(Self(money))
    }

    /// Returns the price as money.
    pub fn money(self) -> Money {
        self.0
    }

    /// Returns the amount in minor units.
    pub fn amount(self) -> i64 {
        self.0.amount
    }

    /// Returns the currency.
    pub fn currency(self) -> Currency {
        self.0.currency
    }
}

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    /// Lists each minimum amount with the currencies that it applies to.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut by_min: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        for (code, _, min) in CURRENCIES {
            by_min.entry(*min).or_default().push(code);
        }
        let alternatives = by_min.into_iter().map(|(min, currencies)| {
            json_schema!({"properties": {
                "amount": {"type": "integer", "minimum": min, "maximum": Self::MAX},
                "currency": {"type": "string", "enum": currencies},
            }, "type": "object", "required": ["amount", "currency"], "additionalProperties": false})
        });
        json_schema!({
            "description": "A price in minor units (1999 is 19.99 dollars, or 1999 yen), between Stripe's \
                minimum and maximum charge for the currency.",
            "oneOf": alternatives.collect::<Vec<_>>(),
            "examples": [{"amount": 1999, "currency": "usd"}],
        })
    }
}

impl TryFrom<Money> for Price {
    type Error = Invalid;
    fn try_from(money: Money) -> Result<Self, Invalid> {
        Self::parse(money)
    }
}

impl From<Price> for Money {
    fn from(price: Price) -> Self {
        price.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn a_price_is_between_the_minimum_charge_and_eight_digits() {
        for currency in Currency::all() {
            let price = |amount| Price::parse(Money::new(amount, currency)).map_err(|e| e.code);
            assert_eq!(price(currency.min_price() - 1), Err("amount_too_small"));
            assert_eq!(price(currency.min_price()).unwrap().amount(), currency.min_price());
            assert!(price(99_999_999).is_ok());
            assert_eq!(price(100_000_000), Err("amount_too_large"));
            assert_eq!(price(-5), Err("amount_too_small"));
        }
    }

    #[test]
    fn only_supported_lower_case_codes_are_currencies() {
        assert_eq!(Currency::parse("usd"), Ok(Currency::USD));
        for bad in ["USD", "xxx", "", "us", "usd "] {
            assert_eq!(
                Currency::parse(bad).map_err(|e| e.code),
                Err("unknown_currency"),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn money_in_json_is_an_integer_and_a_currency_code() {
        let money: Money = from_value(json!({"amount": 1999, "currency": "usd"})).unwrap();
        assert_eq!(to_value(money).unwrap(), json!({"amount": 1999, "currency": "usd"}));
        assert!(from_value::<Money>(json!({"amount": 19.99, "currency": "usd"})).is_err());
        assert!(from_value::<Money>(json!({"amount": 1999, "currency": "usd", "tax": 1})).is_err());
        assert!(from_value::<Price>(json!({"amount": 1, "currency": "usd"})).is_err());
    }

    #[test]
    fn overflows_and_mixed_currencies_are_detected() {
        let usd = |amount| Money::new(amount, Currency::USD);
        assert_eq!(usd(5).checked_add(usd(-7)), Some(usd(-2)));
        assert_eq!(usd(i64::MAX).checked_add(usd(1)), None);
        assert_eq!(usd(1).checked_add(Money::new(1, Currency::parse("eur").unwrap())), None);
        assert_eq!(usd(i64::MIN).checked_neg(), None);
    }

    #[test]
    fn money_is_formatted_with_decimal_places() {
        assert_eq!(Money::new(-1905, Currency::USD).to_string(), "-19.05 usd");
        assert_eq!(Money::new(500, Currency::parse("jpy").unwrap()).to_string(), "500 jpy");
    }
}
