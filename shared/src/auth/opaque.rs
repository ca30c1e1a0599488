//! Opaque tokens: 256 random bits that mean nothing outside our store, and are stored hashed.

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::Secret;
use crate::error::{Error, Result};

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(bytes)
}

/// SHA-256, base64url: how a token is stored. It has 256 random bits, so that a salt or a slow hash
/// would add nothing.
pub fn hash(token: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref())
}

/// A fresh opaque token, seen once by its owner and stored as its hash.
pub struct Opaque {
    /// What the owner gets.
    pub token: Secret,
    /// What is stored.
    pub hash: String,
}

impl Opaque {
    /// Makes one; `prefix` tells its finder (and secret scanners) what it is.
    pub fn generate(prefix: &str) -> Result<Self> {
        Ok(Self::of(prefix, random()?))
    }

    /// The one of these bits, which nobody else may be able to come by.
    pub fn of(prefix: &str, bits: [u8; 32]) -> Self {
        let token = format!("{prefix}{}", BASE64URL_NOPAD.encode(&bits));
        Self { hash: hash(&token), token: Secret::new(token) }
    }
}
