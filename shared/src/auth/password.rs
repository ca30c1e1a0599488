//! Passwords: argon2id with OWASP's parameters (19 MiB, two passes, one lane), stored as PHC strings.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::random;
use crate::config::Secret;
use crate::domain::error::Invalid;
use crate::error::{Error, Result};

/// Memory in KiB, passes, lanes: OWASP Password Storage Cheat Sheet, first choice for argon2id at this memory.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A verified-against hash for users that do not exist, so that "no such user" costs what "wrong password" costs. Of random bytes.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$u2nJnEzLYmP0bnvJ0lKv8g$6xqZ8QbK3Yt0nEoYxYwD0q4gkS0Hq3Y9cR2mF5v1h1s";

/// Passwords too common to be used: the head of every list that attackers start with.
const COMMON: &[&str] = &[
    "12345678",
    "123456789",
    "1234567890",
    "password",
    "password1",
    "password123",
    "passw0rd",
    "p@ssw0rd",
    "qwertyui",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "11111111",
    "00000000",
    "87654321",
    "abc12345",
    "abcd1234",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "welcome1",
    "letmein1",
    "superman",
    "trustno1",
    "whatever",
    "starwars",
    "computer",
    "michelle",
    "jennifer",
    "12341234",
    "asdfghjk",
    "asdfasdf",
    "zxcvbnm1",
    "admin123",
    "administrator",
    "changeme",
    "changeme1",
    "marketplace",
    "internet",
    "samsung1",
    "dragon12",
    "monkey12",
    "master12",
];

/// Checks a new password against the policy: 8 to 128 characters, not one of the common ones, not the user's own name.
pub fn check_policy(password: &Secret, username: &str) -> std::result::Result<(), Invalid> {
    let text = password.expose();
    let length = text.chars().count();
    if length < 8 {
        return Err(Invalid::new("too_short", "Use at least 8 characters."));
    }
    if length > 128 {
        return Err(Invalid::new("too_long", "Use at most 128 characters."));
    }
    let lower = text.to_lowercase();
    if COMMON.contains(&lower.as_str()) || lower == username.to_lowercase() {
        return Err(Invalid::new("too_common", "This password is on every attacker's list. Use another one."));
    }
    Ok(())
}

/// Hashes a password. Runs on a blocking thread: it takes tens of milliseconds of CPU.
pub async fn hash(password: Secret) -> Result<String> {
    let salt = random::<16>()?;
    blocking(move || {
        hasher()?
            .hash_password_with_salt(password.expose().as_bytes(), &salt)
            .map(|h| h.to_string())
            .map_err(Error::internal)
    })
    .await
}

/// Whether `password` is the one behind `stored`. Without a stored hash (no such user) it takes as long and says no.
pub async fn verify(password: Secret, stored: Option<String>) -> Result<bool> {
    blocking(move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| DUMMY.to_owned());
        let parsed = PasswordHash::new(&stored).map_err(Error::internal)?;
        let matches = Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok();
        Ok(known && matches)
    })
    .await
}

/// Whether a stored hash was made with other parameters than today's, and is to be replaced at the next sign-in.
pub fn is_outdated(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$"))
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let span = tracing::Span::current();
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
    async fn an_unknown_user_never_verifies_and_the_dummy_costs_what_a_real_hash_costs() {
        assert!(!verify(Secret::new("anything"), None).await.unwrap());
        assert!(!is_outdated(DUMMY));
        PasswordHash::new(DUMMY).unwrap();
    }

    #[test]
    fn the_policy_refuses_short_long_common_and_own_name() {
        let check = |p: &str| check_policy(&Secret::new(p), "Marketeer").map_err(|e| e.code);
        assert_eq!(check("1234567"), Err("too_short"));
        assert_eq!(check(&"x".repeat(129)), Err("too_long"));
        assert_eq!(check("PassWord123"), Err("too_common"));
        assert_eq!(check("marketeer"), Err("too_common"));
        assert_eq!(check("пароль-пароль"), Ok(()));
        assert_eq!(check(&"ü".repeat(128)), Ok(()));
    }
}
