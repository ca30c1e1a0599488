//! Secrets: read from AWS Secrets Manager while a sandbox initializes, kept in the process, and
//! read again when a roll may have replaced them. So rolling a secret needs no deployment, and no
//! function has a secret in its configuration: its environment only names the secret.

mod cached;
mod client;
mod json;

pub use cached::{CachedSecret, FromSecret};
pub use client::SecretText;
pub(crate) use json::Members;

#[cfg(test)]
mod tests;
