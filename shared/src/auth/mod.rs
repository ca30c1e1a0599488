//! Who is calling: passwords, access tokens, refresh tokens and socket tickets.

pub mod password;
mod signature;
mod opaque;
pub mod token;

pub use opaque::{Opaque, hash, random};
pub use token::{Claims, Issuer, Verifier};
