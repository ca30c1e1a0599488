//! Forged access tokens, with any header, claims and signature. They are signed with the
//! development keys.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::hmac;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use super::{User, workspace};

/// The private key of `local-2`, whose public key `local.env` publishes, but which signs nothing
/// yet.
pub const NEXT_KEY: &str = "MC4CAQAwBQYDK2VwBCIEID7UQ00rNqg9xK5+GxSYkiKHAFEr8O306b8LiH74r4C3";

/// An access token before it is signed.
#[derive(Clone)]
pub struct ForgedToken {
    pub header: Value,
    pub claims: Value,
}

impl ForgedToken {
    /// Returns a copy of this user's access token.
    pub fn copy_of(user: &User) -> Self {
        let mut parts = user
            .access_token
            .split('.')
            .map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64"));
        let mut next =
            || serde_json::from_slice(&parts.next().expect("three parts")).expect("JSON");
        Self { header: next(), claims: next() }
    }

    /// Sets this member of the header, or removes it when the value is null.
    pub fn header(&self, name: &str, value: Value) -> Self {
        let mut next = self.clone();
        set(&mut next.header, name, value);
        next
    }

    /// Sets this claim, or removes it when the value is null.
    pub fn claim(&self, name: &str, value: Value) -> Self {
        let mut next = self.clone();
        set(&mut next.claims, name, value);
        next
    }

    fn message(&self) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }

    /// Returns the token, signed with the active key.
    pub fn signed(&self) -> String {
        self.signed_with(&local_env("JWT_SIGNING_KEY"))
    }

    /// Returns the token, signed with the next key.
    pub fn signed_with_next(&self) -> String {
        self.signed_with(NEXT_KEY)
    }

    /// Returns the token, signed with an unknown key, and this key as a JWK.
    pub fn signed_with_unknown_key(&self) -> (String, Value) {
        let seed = [7; 32];
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
        let x = BASE64URL_NOPAD.encode(ring::signature::KeyPair::public_key(&pair).as_ref());
        (
            self.with_signature(pair.sign(self.message().as_bytes()).as_ref()),
            json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
        )
    }

    fn signed_with(&self, key: &str) -> String {
        let der = BASE64.decode(key.as_bytes()).expect("base64");
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("a key");
        self.with_signature(pair.sign(self.message().as_bytes()).as_ref())
    }

    /// Returns the token, "signed" by HMAC with a public key as the secret.
    pub fn hmac(&self, secret: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        self.with_signature(hmac::sign(&key, self.message().as_bytes()).as_ref())
    }

    pub fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.message(), BASE64URL_NOPAD.encode(signature))
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().expect("an object");
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
}

/// Returns the value of this variable in `local.env`.
pub fn local_env(name: &str) -> String {
    let text = std::fs::read_to_string(workspace().join("local.env")).expect("local.env");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("local.env gives {name}")).to_owned()
}
