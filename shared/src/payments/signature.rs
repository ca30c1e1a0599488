//! Verifies the signature of Stripe's webhooks: HMAC-SHA256 over `<t>.<raw body>`
//! (<https://docs.stripe.com/webhooks#verify-manually>).

use std::sync::Arc;

use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::Timestamp;
use ring::hmac;

use crate::config::Secret;
use crate::error::{Error, Result, catalogue};
use crate::secrets::{CachedSecret, FromSecret, Members, SecretText};

/// How far a signature's time may differ from ours, in seconds and in both directions. This is the
/// default of Stripe's own libraries.
pub const TOLERANCE_SECONDS: u64 = 300;

/// Why a signature is refused that may have been made with a newer secret.
const NO_MATCH: &str = "no v1 signature matches";

/// The endpoint's signing secrets. While a secret is being rolled, Stripe signs with the old and
/// the new one, and we can accept both.
#[derive(Clone)]
pub struct WebhookSecrets(Vec<hmac::Key>);

impl FromSecret for WebhookSecrets {
    const VARIABLE: &'static str = "WEBHOOK_SECRET";

    /// Reads the member `webhook_secrets`: secrets, separated by commas.
    fn parse(text: &SecretText) -> std::result::Result<Self, String> {
        let members = Members::parse(&text.current)?;
        let list = members.text("webhook_secrets")?.split(',').map(str::trim);
        let secrets: Vec<_> = list.filter(|s| !s.is_empty()).map(Secret::new).collect();
        match secrets.is_empty() {
            true => Err("has a member `webhook_secrets` without a secret".to_owned()),
            false => Ok(Self::new(&secrets)),
        }
    }
}

impl CachedSecret<WebhookSecrets> {
    /// Verifies like [`WebhookSecrets::verify`]. If no signature matches, the secret may have been
    /// rolled: it is read again, and the new value decides.
    ///
    /// # Errors
    /// Those of [`WebhookSecrets::verify`].
    pub async fn verify(&self, header: Option<&str>, body: &[u8], now: Timestamp) -> Result<()> {
        match self.current().check(header, body, now) {
            Ok(()) => Ok(()),
            Err(reason) => match self.read_again_after(reason).await {
                Some(rolled) => rolled.verify(header, body, now),
                None => Err(invalid(reason)),
            },
        }
    }

    async fn read_again_after(&self, reason: &str) -> Option<Arc<WebhookSecrets>> {
        if reason == NO_MATCH { self.read_again().await } else { None }
    }
}

impl WebhookSecrets {
    /// Creates a set of secrets. A signature may match any of them.
    pub fn new(secrets: &[Secret]) -> Self {
        Self(
            secrets
                .iter()
                .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()))
                .collect(),
        )
    }

    /// Verifies that Stripe recently sent exactly these bytes. Any `v1` signature in the header may
    /// match any secret; other schemes (`v0`) are ignored.
    ///
    /// # Errors
    /// `invalid_signature` if the header is missing or malformed, no signature matches, or its time
    /// is too far from `now`.
    pub fn verify(&self, header: Option<&str>, body: &[u8], now: Timestamp) -> Result<()> {
        self.check(header, body, now).map_err(invalid)
    }

    /// Returns why the signature is not valid.
    fn check(
        &self,
        header: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> std::result::Result<(), &'static str> {
        let header = header.ok_or("there is no Stripe-Signature header")?;
        let parts: Vec<_> =
            header.split(',').filter_map(|part| part.trim().split_once('=')).collect();
        let times: Vec<_> =
            parts.iter().filter(|(scheme, _)| *scheme == "t").map(|(_, time)| *time).collect();
        let [time] = times[..] else {
            return Err("the header does not have exactly one time");
        };
        let seconds: i64 = time.parse().map_err(|_| "the header's time is not a number")?;
        let signed = [time.as_bytes(), b".", body].concat();
        let signatures = parts.iter().filter(|(scheme, _)| *scheme == "v1");
        let signatures =
            signatures.filter_map(|(_, hex)| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok());
        // `ring` compares in constant time.
        let genuine = |signature: Vec<u8>| {
            self.0.iter().any(|key| hmac::verify(key, &signed, &signature).is_ok())
        };
        if !signatures.into_iter().any(genuine) {
            return Err(NO_MATCH);
        }
        // Checked last, so that only holders of a secret can learn anything about our clock.
        if now.as_second().abs_diff(seconds) > TOLERANCE_SECONDS {
            return Err("the signature is too old or from the future");
        }
        Ok(())
    }
}

fn invalid(reason: &'static str) -> Error {
    Error::new(
        &catalogue::INVALID_SIGNATURE,
        "Only Stripe may call this. The request needs a recent signature of the unmodified body.",
    )
    .with_source(reason)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    const BODY: &[u8] = br#"{"id": "evt_1", "type": "payment_intent.succeeded"}"#;
    const NOW: i64 = 1_800_000_000;

    fn sign(secret: &str, time: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        HEXLOWER.encode(hmac::sign(&key, &[format!("{time}.").as_bytes(), body].concat()).as_ref())
    }

    fn header(secret: &str, time: i64) -> String {
        format!("t={time},v1={}", sign(secret, time, BODY))
    }

    fn accepts(secrets: &[&str], header: &str, body: &[u8]) -> bool {
        let secrets: Vec<_> = secrets.iter().map(|s| Secret::new(*s)).collect();
        let result = WebhookSecrets::new(&secrets).verify(
            Some(header),
            body,
            Timestamp::from_second(NOW).unwrap(),
        );
        result.map_err(|e| assert!(e.is(&catalogue::INVALID_SIGNATURE))).is_ok()
    }

    #[test]
    fn a_genuine_signature_is_accepted_and_a_forged_one_is_not() {
        assert!(accepts(&["whsec_a"], &header("whsec_a", NOW), BODY));
        assert!(!accepts(&["whsec_a"], &header("whsec_b", NOW), BODY), "wrong secret");
        for forged in [
            "",
            "t=",
            "v1=",
            "t=1800000000",
            &format!("t={NOW},v1="),
            &format!("t={NOW},v1=zz"),
            &format!("t={NOW},v1={}", "0".repeat(64)),
        ] {
            assert!(!accepts(&["whsec_a"], forged, BODY), "{forged}");
        }
        let missing = WebhookSecrets::new(&[Secret::new("whsec_a")]).verify(
            None,
            BODY,
            Timestamp::UNIX_EPOCH,
        );
        assert!(missing.unwrap_err().is(&catalogue::INVALID_SIGNATURE));
    }

    #[test]
    fn a_signature_made_by_openssl_is_accepted() {
        // Computed with: printf '1800000000.{}' | openssl dgst -sha256 -hmac whsec_test
        let header = "t=1800000000,v1=482e6337ac5272392d375c6fdc4d52a7e615dc2facedab0ffe155ddfd6a56e66,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39";
        assert!(accepts(&["whsec_test"], header, b"{}"));
    }

    #[test]
    fn changing_any_byte_invalidates_the_signature() {
        let header = header("whsec_a", NOW);
        for at in 0..BODY.len() {
            let mut altered = BODY.to_vec();
            altered[at] ^= 1;
            assert!(!accepts(&["whsec_a"], &header, &altered), "byte {at}");
        }
        assert!(!accepts(&["whsec_a"], &header, &[BODY, b"\n"].concat()));
    }

    #[test]
    fn signatures_expire_after_five_minutes() {
        for (seconds, fresh) in [
            (-301, false),
            (-300, true),
            (0, true),
            (300, true),
            (301, false),
            (i64::MIN / 2, false),
        ] {
            assert_eq!(
                accepts(&["whsec_a"], &header("whsec_a", NOW + seconds), BODY),
                fresh,
                "{seconds} s"
            );
        }
        let moved =
            header("whsec_a", NOW - 900).replace(&(NOW - 900).to_string(), &NOW.to_string());
        assert!(!accepts(&["whsec_a"], &moved, BODY), "the time is signed too");
        let twice = format!("t={NOW},{}", header("whsec_a", NOW - 900));
        assert!(!accepts(&["whsec_a"], &twice, BODY), "only one time is allowed");
    }

    #[test]
    fn old_and_new_secrets_work_while_one_is_rolled() {
        let both = format!(
            "t={NOW},v1={},v1={}",
            sign("whsec_new", NOW, BODY),
            sign("whsec_old", NOW, BODY)
        );
        assert!(accepts(&["whsec_old"], &both, BODY), "the second v1");
        assert!(accepts(&["whsec_new"], &both, BODY), "the first v1");
        assert!(!accepts(&["whsec_other"], &both, BODY));
        assert!(accepts(&["whsec_new", "whsec_old"], &header("whsec_old", NOW), BODY));
        assert!(accepts(&["whsec_new", "whsec_old"], &header("whsec_new", NOW), BODY));
    }

    #[test]
    fn other_schemes_are_ignored() {
        let v0 = format!("t={NOW},v0={}", sign("whsec_a", NOW, BODY));
        assert!(!accepts(&["whsec_a"], &v0, BODY));
        assert!(accepts(&["whsec_a"], &format!("{}, v0=00", header("whsec_a", NOW)), BODY));
    }
}
