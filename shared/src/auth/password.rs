//! Passwords: argon2id with OWASP's parameters (19 MiB, two passes, one lane), stored as PHC
//! strings.
//!
//! They are put into Unicode normalisation form C before anything else (NIST SP 800-63B section
//! 3.1.1.2): keyboards differ in how they write `é`.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::common::is_common;
use super::random;
use crate::config::Secret;
use crate::domain::error::Invalid;
use crate::domain::text::nfc;
use crate::error::{Error, Result};

/// Memory in KiB, passes, lanes: OWASP Password Storage Cheat Sheet, first choice for argon2id at
/// this memory.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A verified-against hash for users that do not exist, so that "no such user" costs what "wrong
/// password" costs. Of random bytes.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$u2nJnEzLYmP0bnvJ0lKv8g$6xqZ8QbK3Yt0nEoYxYwD0q4gkS0Hq3Y9cR2mF5v1h1s";

/// Checks a new password against the policy: 8 to 128 characters, not one of the common ones
/// ([`common`](super::common)), not one of the user's own `names`.
pub fn check_policy(password: &Secret, names: &[&str]) -> std::result::Result<(), Invalid> {
    let text = nfc(password.expose());
    let length = text.chars().count();
    if length < 8 {
        return Err(Invalid::new("too_short", "Use at least 8 characters."));
    }
    if length > 128 {
        return Err(Invalid::new("too_long", "Use at most 128 characters."));
    }
    let lower = text.to_lowercase();
    if is_common(&lower) || names.iter().any(|name| lower == name.to_lowercase()) {
        return Err(Invalid::new(
            "too_common",
            "This password is among the first that an attacker tries. Use another one.",
        ));
    }
    Ok(())
}

/// Longer, in bytes, than any password that can have been set: not worth hashing.
pub fn is_too_long(password: &Secret) -> bool {
    // 128 characters of four bytes, and what decomposition may add to them before they are
    // normalised.
    password.expose().len() > 2048
}

/// Hashes a password. Runs on a blocking thread: it takes tens of milliseconds of CPU.
pub async fn hash(password: Secret) -> Result<String> {
    let salt = random::<16>()?;
    blocking("hash", move || {
        hasher()?
            .hash_password_with_salt(nfc(password.expose()).as_bytes(), &salt)
            .map(|h| h.to_string())
            .map_err(Error::internal)
    })
    .await
}

/// Whether `password` is the one behind `stored`. Without a stored hash (no such user) it takes as
/// long and says no.
pub async fn verify(password: Secret, stored: Option<String>) -> Result<bool> {
    blocking("verify", move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| DUMMY.to_owned());
        let parsed = PasswordHash::new(&stored).map_err(Error::internal)?;
        let matches =
            Argon2::default().verify_password(nfc(password.expose()).as_bytes(), &parsed).is_ok();
        Ok(known && matches)
    })
    .await
}

/// Whether a stored hash was made with other parameters than today's, and is to be replaced at the
/// next sign-in.
pub fn is_outdated(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$"))
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Argon2 takes tens of milliseconds of CPU, and the runtime has one thread: there it would hold up
/// everything else.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::info_span!("password", what);
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_verifies_its_own_password_and_no_other() {
        let stored = hash(Secret::new("correct horse")).await.unwrap();
        assert!(!is_outdated(&stored), "{stored}");
        assert!(verify(Secret::new("correct horse"), Some(stored.clone())).await.unwrap());
        assert!(!verify(Secret::new("correct horsE"), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_is_the_same_however_a_keyboard_composes_it() {
        let stored = hash(Secret::new("caf\u{e9} au lait")).await.unwrap();
        assert!(verify(Secret::new("cafe\u{301} au lait"), Some(stored)).await.unwrap());
        let seven = "e\u{301}a\u{300}o\u{302}u\u{308}a\u{301}i\u{300}o\u{301}";
        assert_eq!(check_policy(&Secret::new(seven), &[]).unwrap_err().code, "too_short");
        assert_eq!(check_policy(&Secret::new(format!("{seven}y")), &[]), Ok(()));
    }

    #[tokio::test]
    async fn an_unknown_user_never_verifies_and_the_dummy_costs_what_a_real_hash_costs() {
        assert!(!verify(Secret::new("anything"), None).await.unwrap());
        assert!(!is_outdated(DUMMY));
        PasswordHash::new(DUMMY).unwrap();
    }

    #[test]
    fn the_policy_refuses_short_long_common_and_own_name() {
        let check = |p: &str| {
            check_policy(&Secret::new(p), &["Marketeer", "ada@example.com"]).map_err(|e| e.code)
        };
        assert_eq!(check("1234567"), Err("too_short"));
        assert_eq!(check(&"x".repeat(129)), Err("too_long"));
        assert_eq!(check("PassWord123"), Err("too_common"));
        assert_eq!(check("marketeer"), Err("too_common"));
        assert_eq!(check("Ada@example.com"), Err("too_common"));
        assert_eq!(check("пароль-пароль"), Ok(()));
        assert_eq!(check(&"設計者の秘密の言葉".repeat(14)), Ok(()));
    }
}
