//! Ids as Stripe makes them: a prefix that names the kind, then letters and digits that mean
//! nothing.

use ring::rand::{SecureRandom, SystemRandom};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new id, `prefix` and 24 random characters: `new("pi_")` is for instance `pi_3Nf8...`.
pub(super) fn new(prefix: &str) -> String {
    format!("{prefix}{}", random(24))
}

/// `length` random letters and digits.
pub(super) fn random(length: usize) -> String {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 62)])).collect()
}
