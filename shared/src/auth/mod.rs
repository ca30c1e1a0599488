//! Authentication: passwords, access tokens, refresh tokens and socket tickets.

pub mod common_passwords;
mod key_set;
mod opaque;
pub mod password;
mod signature;
pub mod token;

pub use key_set::KeySet;
pub use opaque::{OpaqueToken, random, sha256};
pub use token::{Claims, Issuer, Verifier};
