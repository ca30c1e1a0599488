//! `Stripe-Signature` (<https://docs.stripe.com/webhooks#verify-manually>): `t=<unix
//! time>,v1=<HMAC-SHA256 of "t.body", hex>`, one `v1` for every secret that is valid during a roll.

use data_encoding::HEXLOWER;
use ring::hmac;

/// The header for `body`, signed at `timestamp` (Unix seconds) with each of `secrets` (`whsec_...`,
/// used whole, prefix included).
pub(super) fn header(secrets: &[String], timestamp: i64, body: &[u8]) -> String {
    let mut header = format!("t={timestamp}");
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{timestamp}.").as_bytes());
        context.update(body);
        header.push_str(",v1=");
        header.push_str(&HEXLOWER.encode(context.sign().as_ref()));
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_signs_time_and_body_once_per_secret() {
        // echo -n '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        let one = header(&["whsec_test".into()], 1_700_000_000, br#"{"id":"evt_1"}"#);
        assert_eq!(
            one,
            "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
        );
        let two = header(
            &["whsec_test".into(), "whsec_next".into()],
            1_700_000_000,
            br#"{"id":"evt_1"}"#,
        );
        assert!(two.starts_with(&one) && two.matches(",v1=").count() == 2);
    }
}
