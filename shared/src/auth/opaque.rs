//! Opaque tokens: 256 random bits that mean nothing by themselves. The store keeps only their hash.

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::Secret;
use crate::error::{Error, Result};

/// Returns random bytes from the operating system.
///
/// # Errors
///
/// `internal` if the operating system provides no random bytes.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::internal("the operating system provides no random bytes"))?;
    Ok(bytes)
}

/// Returns the SHA-256 of a text in base64url. Tokens are stored in this form. A token has 256
/// random bits, so neither a salt nor a slow hash would add security.
pub fn sha256(text: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// A new opaque token. Its owner sees it once; the store keeps its hash.
pub struct OpaqueToken {
    /// The token for its owner.
    pub token: Secret,
    /// The hash to store.
    pub hash: String,
}

impl OpaqueToken {
    /// Generates a token. Its `prefix` tells people and secret scanners what kind of token it is.
    ///
    /// # Errors
    ///
    /// `internal` if the operating system provides no random bytes.
    pub fn generate(prefix: &str) -> Result<Self> {
        Ok(Self::from_bits(prefix, random()?))
    }

    /// Creates a token from these bits. Nobody else may be able to guess them.
    pub fn from_bits(prefix: &str, bits: [u8; 32]) -> Self {
        let token = format!("{prefix}{}", BASE64URL_NOPAD.encode(&bits));
        Self { hash: sha256(&token), token: Secret::new(token) }
    }
}
