//! API keys (<https://docs.stripe.com/api/authentication>): `Authorization: Bearer sk_test_...`, or
//! Basic with the key as the username.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use data_encoding::BASE64;

use crate::error::Error;
use crate::options::Options;

/// The kind of the caller's API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Allows every call.
    Secret,
    /// Allows retrieving and confirming payment intents whose client secret the caller knows.
    Publishable,
}

impl Key {
    /// Returns the kind of the request's key.
    ///
    /// # Errors
    /// 401 when the request has no key, or one that the options do not list.
    pub(super) fn of(headers: &HeaderMap, options: &Options) -> Result<Self, Error> {
        let key = from_header(headers);
        if key.is_empty() {
            return Err(Error::unauthorized(
                "You did not provide an API key. You need to provide your API key in the \
                 Authorization header, using Bearer auth (e.g. 'Authorization: Bearer \
                 YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or \
                 we can help at https://support.stripe.com/.",
            ));
        }
        if options.secret_keys.contains(&key) {
            Ok(Self::Secret)
        } else if options.publishable_keys.contains(&key) {
            Ok(Self::Publishable)
        } else {
            Err(Error::unauthorized(format!("Invalid API Key provided: {}", masked(&key))))
        }
    }
}

fn from_header(headers: &HeaderMap) -> String {
    let header =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            let decoded = BASE64.decode(encoded.trim().as_bytes()).unwrap_or_default();
            let credentials = String::from_utf8(decoded).unwrap_or_default();
            credentials.split(':').next().unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

/// Returns the key as Stripe shows it: the prefix, asterisks, and the last four characters.
fn masked(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    let prefix = 8.min(characters.len());
    let hidden = characters.len().saturating_sub(prefix + 4);
    let mut masked: String = characters[..prefix].iter().collect();
    masked.push_str(&"*".repeat(hidden));
    masked.extend(&characters[prefix + hidden..]);
    masked
}

/// Returns the error 401 `secret_key_required`.
pub(super) fn secret_key_required() -> Error {
    Error::unauthorized(
        "This API call cannot be made with a publishable API key. Please use a secret API key. You \
         can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
    )
    .code("secret_key_required")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_key_keeps_its_prefix_and_its_last_four_characters() {
        for (key, shown) in [
            ("sk_test_51Habcdefgh", "sk_test_*******efgh"),
            ("sk_test_abc", "sk_test_abc"),
            ("short", "short"),
        ] {
            assert_eq!(masked(key), shown);
        }
    }
}
