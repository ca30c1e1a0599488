//! Who is calling: passwords, access tokens, refresh tokens and socket tickets.

pub mod common;
mod opaque;
pub mod password;
mod signature;
pub mod token;

pub use opaque::{Opaque, hash, random};
pub use token::{Claims, Issuer, KeySet, Verifier};
