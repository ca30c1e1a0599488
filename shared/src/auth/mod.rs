//! Who is calling: passwords, access tokens, refresh tokens and socket tickets.

pub mod common;
mod key_set;
mod opaque;
pub mod password;
mod signature;
pub mod token;

pub use key_set::KeySet;
pub use opaque::{Opaque, hash, random};
pub use token::{Claims, Issuer, Verifier};
