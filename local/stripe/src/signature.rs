//! The header `Stripe-Signature` (<https://docs.stripe.com/webhooks#verify-manually>):
//! `t=<Unix seconds>,v1=<hex>,v0=<hex>`.
//!
//! `v1` is the HMAC-SHA256 of `<t>.<body>`. There is one for each secret, so that a secret can be
//! replaced without an interruption. `v0` is a fake scheme that Stripe adds to events in test mode.
//! Verifiers must ignore it.

use data_encoding::HEXLOWER;
use ring::hmac;

/// Returns the header for `body`, signed at `timestamp` (Unix seconds) with each of `secrets`. The
/// whole secret is the key, its prefix `whsec_` included.
pub(crate) fn header(secrets: &[String], timestamp: i64, body: &[u8]) -> String {
    let mut header = format!("t={timestamp}");
    for secret in secrets {
        let v1 = sign(secret, timestamp, body);
        header.push_str(&format!(",v1={v1}"));
    }
    // Signed with a key that nobody knows, so that no verifier can accept it.
    let v0 = sign(&crate::ids::random(32), timestamp, body);
    header.push_str(&format!(",v0={v0}"));
    header
}

fn sign(key: &str, timestamp: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{timestamp}.").as_bytes());
    context.update(body);
    HEXLOWER.encode(context.sign().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    /// Returns the scheme and the signature of every signature in the header.
    fn signatures(secrets: &[&str]) -> Vec<(String, String)> {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let header = header(&secrets, 1_700_000_000, BODY);
        let rest = header.strip_prefix("t=1700000000,").expect("the time comes first");
        rest.split(',')
            .map(|part| part.split_once('=').expect("a scheme and a signature"))
            .map(|(scheme, signature)| (scheme.to_owned(), signature.to_owned()))
            .collect()
    }

    #[test]
    fn the_header_signs_time_and_body_once_per_secret() {
        // echo -n '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        let expected = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
        let v1 = ("v1".to_owned(), expected.to_owned());
        let one = signatures(&["whsec_test"]);
        assert_eq!((one.len(), &one[0]), (2, &v1));
        let two = signatures(&["whsec_test", "whsec_next"]);
        assert_eq!((two.len(), &two[0], two[1].0.as_str()), (3, &v1, "v1"));
        assert_ne!(two[1].1, expected);
    }

    #[test]
    fn the_fake_scheme_v0_carries_no_valid_signature() {
        let signatures = signatures(&["whsec_test"]);
        let (scheme, v0) = &signatures[1];
        assert_eq!((scheme.as_str(), v0.len()), ("v0", 64));
        assert_ne!(*v0, signatures[0].1);
    }
}
