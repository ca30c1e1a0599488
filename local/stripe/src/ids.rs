//! Ids in Stripe's form: a prefix that names the kind of object, then random letters and digits.

use ring::rand::{SecureRandom, SystemRandom};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns a new id: `prefix` and 24 random characters, such as `pi_3Nf8...` for `pi_`.
pub(crate) fn new(prefix: &str) -> String {
    format!("{prefix}{}", random(24))
}

/// Returns `length` random letters and digits.
pub(crate) fn random(length: usize) -> String {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).expect("the operating system provides random bytes");
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 62)])).collect()
}

/// Returns the id of the balance transaction of the charge or refund `source`: `txn_ch3x` for
/// `ch_3x`, `txn_re3x` for `re_3x`. Balance transactions are not stored, so their ids are derived.
pub(crate) fn balance_transaction_of(source: &str) -> String {
    format!("txn_{}", source.replacen('_', "", 1))
}

/// Returns the id of the charge or refund of the balance transaction `id`: the inverse of
/// [`balance_transaction_of`].
pub(crate) fn source_of_balance_transaction(id: &str) -> Option<String> {
    let (kind, rest) = id.strip_prefix("txn_")?.split_at_checked(2)?;
    Some(format!("{kind}_{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_transaction_id_leads_back_to_its_source() {
        for source in ["ch_3x", "re_3x"] {
            let id = balance_transaction_of(source);
            assert_eq!(source_of_balance_transaction(&id).as_deref(), Some(source));
        }
        assert_eq!(balance_transaction_of("ch_3x"), "txn_ch3x");
        assert_eq!(source_of_balance_transaction("txn_"), None);
        assert_eq!(source_of_balance_transaction("ch_3x"), None);
    }
}
