//! API keys (<https://docs.stripe.com/api/authentication>): `Authorization: Bearer sk_test_...`, or
//! Basic with the key as user name. Browsers may also give a publishable key as the parameter
//! `key`; here it goes in the header.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use data_encoding::BASE64;

use crate::error::Error;

/// What the caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// `sk_test_...`: everything.
    Secret,
    /// `pk_test_...`: see and confirm payment intents whose client secret it knows.
    Publishable,
}

impl Key {
    /// The key of a request; 401 when there is none, or none of the test mode.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let header =
            headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let key = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                token.trim().to_owned()
            }
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
                let decoded = BASE64.decode(encoded.trim().as_bytes()).unwrap_or_default();
                let credentials = String::from_utf8(decoded).unwrap_or_default();
                credentials.split(':').next().unwrap_or_default().to_owned()
            }
            _ => String::new(),
        };
        if key.is_empty() {
            return Err(Error::unauthorized(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer \
                 YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
            ));
        }
        match key.get(..8) {
            Some("sk_test_") => Ok(Self::Secret),
            Some("pk_test_") => Ok(Self::Publishable),
            _ => {
                let shown: String = key.chars().take(8).collect();
                Err(Error::unauthorized(format!("Invalid API Key provided: {shown}***")))
            }
        }
    }
}

/// 401 `secret_key_required`.
pub(super) fn secret_key_required() -> Error {
    Error::unauthorized(
        "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at \
         https://dashboard.stripe.com/account/apikeys.",
    )
    .code("secret_key_required")
}
