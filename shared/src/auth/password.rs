//! Passwords: argon2id with OWASP's parameters (19 MiB, two passes, one lane), stored as PHC
//! strings.
//!
//! Every password is first converted to Unicode normalization form C (NIST SP 800-63B, section
//! 3.1.1.2), because keyboards encode `é` differently.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::common_passwords::is_common;
use super::opaque::random;
use crate::config::Secret;
use crate::domain::error::Invalid;
use crate::domain::text::nfc;
use crate::error::{Error, Result};

/// Memory in KiB, passes and lanes: the first choice of the OWASP Password Storage Cheat Sheet for
/// argon2id with this much memory.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash that a password is verified against if the user does not exist, so that the response
/// takes as long as for a wrong password. It is the hash of random bytes.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$u2nJnEzLYmP0bnvJ0lKv8g$6xqZ8QbK3Yt0nEoYxYwD0q4gkS0Hq3Y9cR2mF5v1h1s";

/// Checks a new password against the policy: it has 8 to 128 characters, is not common
/// ([`common_passwords`](super::common_passwords)), and is not one of the user's own identifiers
/// (username and e-mail address).
///
/// # Errors
///
/// Code `too_short`, `too_long` or `too_common`.
pub fn check_policy(password: &Secret, identifiers: &[&str]) -> std::result::Result<(), Invalid> {
    let text = nfc(password.expose());
    let length = text.chars().count();
    if length < 8 {
        return Err(Invalid::new("too_short", "Must have at least 8 characters."));
    }
    if length > 128 {
        return Err(Invalid::new("too_long", "Must have at most 128 characters."));
    }
    let lower = text.to_lowercase();
    if is_common(&lower) || identifiers.iter().any(|identifier| lower == identifier.to_lowercase())
    {
        return Err(Invalid::new(
            "too_common",
            "Must not be a common password, your username or your e-mail address: attackers try \
             these first.",
        ));
    }
    Ok(())
}

/// Returns whether a password is longer, in bytes, than any that can have been set. Such a password
/// is not worth hashing.
pub fn is_too_long(password: &Secret) -> bool {
    // 128 characters of four bytes each, with room for the decomposed form, which is longer.
    password.expose().len() > 2048
}

/// Hashes a password. It runs on a blocking thread, because it takes tens of milliseconds of CPU.
///
/// # Errors
///
/// `internal` if there are no random bytes for the salt, or the hash cannot be computed.
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

/// Returns whether `password` belongs to the hash `stored`. Without a stored hash (no such user),
/// it takes equally long and returns `false`.
///
/// # Errors
///
/// `internal` if the stored hash cannot be parsed.
pub async fn verify(password: Secret, stored: Option<String>) -> Result<bool> {
    blocking("verify", move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| DUMMY_HASH.to_owned());
        let parsed = PasswordHash::new(&stored).map_err(Error::internal)?;
        let matches =
            Argon2::default().verify_password(nfc(password.expose()).as_bytes(), &parsed).is_ok();
        Ok(known && matches)
    })
    .await
}

/// Returns whether a stored hash was created with other parameters than the current ones. The
/// user's next sign-in then replaces it.
pub fn is_outdated(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$"))
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Runs `work` on a blocking thread. Argon2 takes tens of milliseconds of CPU and would block the
/// only thread of the runtime.
async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::info_span!("password", operation);
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_matches_only_its_own_password() {
        let stored = hash(Secret::new("correct horse")).await.unwrap();
        assert!(!is_outdated(&stored), "{stored}");
        assert!(verify(Secret::new("correct horse"), Some(stored.clone())).await.unwrap());
        assert!(!verify(Secret::new("correct horsE"), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_matches_in_composed_and_decomposed_form() {
        let stored = hash(Secret::new("caf\u{e9} au lait")).await.unwrap();
        assert!(verify(Secret::new("cafe\u{301} au lait"), Some(stored)).await.unwrap());
        let seven = "e\u{301}a\u{300}o\u{302}u\u{308}a\u{301}i\u{300}o\u{301}";
        assert_eq!(check_policy(&Secret::new(seven), &[]).unwrap_err().code, "too_short");
        assert_eq!(check_policy(&Secret::new(format!("{seven}y")), &[]), Ok(()));
    }

    #[tokio::test]
    async fn an_unknown_user_never_matches_and_costs_as_much_as_a_known_one() {
        assert!(!verify(Secret::new("anything"), None).await.unwrap());
        assert!(!is_outdated(DUMMY_HASH));
        PasswordHash::new(DUMMY_HASH).unwrap();
    }

    #[test]
    fn the_policy_refuses_short_long_and_common_passwords_and_the_users_own_identifiers() {
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
