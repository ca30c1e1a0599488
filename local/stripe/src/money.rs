//! The supported currencies, their smallest charges, and the format of amounts in messages.

use crate::error::Error;

/// The supported currencies: code, minimum charge in minor units
/// (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>), symbol, decimals.
const CURRENCIES: &[(&str, i64, &str, u32)] = &[
    ("usd", 50, "$", 2),
    ("aed", 200, "AED", 2),
    ("aud", 50, "$", 2),
    ("brl", 50, "R$", 2),
    ("cad", 50, "$", 2),
    ("chf", 50, "CHF", 2),
    ("czk", 1500, "Kč", 2),
    ("dkk", 250, "kr.", 2),
    ("eur", 50, "€", 2),
    ("gbp", 30, "£", 2),
    ("hkd", 400, "$", 2),
    ("huf", 17_500, "Ft", 2),
    ("inr", 50, "₹", 2),
    ("jpy", 50, "¥", 0),
    ("mxn", 1000, "$", 2),
    ("myr", 200, "RM", 2),
    ("nok", 300, "kr", 2),
    ("nzd", 50, "$", 2),
    ("pln", 200, "zł", 2),
    ("ron", 200, "lei", 2),
    ("sek", 300, "kr", 2),
    ("sgd", 50, "$", 2),
    ("thb", 1000, "฿", 2),
];

/// The largest amount in minor units: Stripe accepts up to eight digits.
const LARGEST: i64 = 99_999_999;

/// Returns the currency in lower case, as Stripe writes it.
///
/// # Errors
/// 400 when the currency is not supported.
pub(crate) fn currency(text: &str) -> Result<String, Error> {
    let lower = text.to_ascii_lowercase();
    if CURRENCIES.iter().any(|(code, ..)| *code == lower) {
        return Ok(lower);
    }
    let known: Vec<_> = CURRENCIES.iter().map(|(code, ..)| *code).collect();
    Err(Error::parameter(
        "currency",
        format!(
            "Invalid currency: {lower}. Stripe currently supports these currencies: {}",
            known.join(", ")
        ),
    ))
}

/// Checks that `amount` is within the limits of its currency.
///
/// # Errors
/// 400 `amount_too_small` or `amount_too_large`.
pub(crate) fn check_amount(amount: i64, currency: &str) -> Result<(), Error> {
    let minimum = CURRENCIES
        .iter()
        .find(|(code, ..)| *code == currency)
        .map_or(1, |(_, minimum, ..)| *minimum);
    if amount < minimum {
        let message = format!("Amount must be at least {} {currency}", format(minimum, currency));
        return Err(Error::parameter("amount", message).code("amount_too_small"));
    }
    if amount > LARGEST {
        let message = format!("Amount must be no more than {}", format(LARGEST, currency));
        return Err(Error::parameter("amount", message).code("amount_too_large"));
    }
    Ok(())
}

/// Returns the amount with its symbol: `$10.00`.
pub(crate) fn format(amount: i64, currency: &str) -> String {
    let (symbol, decimals) = CURRENCIES
        .iter()
        .find(|(code, ..)| *code == currency)
        .map_or(("", 2), |(_, _, symbol, decimals)| (*symbol, *decimals));
    if decimals == 0 {
        return format!("{symbol}{amount}");
    }
    let unit = 10_i64.pow(decimals);
    format!("{symbol}{}.{:02}", amount / unit, amount % unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_a_smallest_and_a_largest_amount() {
        assert_eq!(
            check_amount(49, "usd").unwrap_err().body.message,
            "Amount must be at least $0.50 usd"
        );
        assert!(check_amount(50, "usd").is_ok() && check_amount(30, "gbp").is_ok());
        assert!(check_amount(29, "gbp").is_err() && check_amount(249, "dkk").is_err());
        assert_eq!(
            check_amount(100_000_000, "usd").unwrap_err().body.code,
            Some("amount_too_large")
        );
    }

    #[test]
    fn currencies_are_lower_cased_and_unknown_ones_are_rejected() {
        assert_eq!(currency("EUR").unwrap(), "eur");
        assert!(currency("xyz").unwrap_err().body.message.starts_with("Invalid currency: xyz."));
    }

    #[test]
    fn amounts_have_the_symbol_and_the_decimals_of_their_currency() {
        assert_eq!((format(2145, "usd").as_str(), format(50, "jpy").as_str()), ("$21.45", "¥50"));
    }
}
