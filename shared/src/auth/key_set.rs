//! The public keys of access tokens.

use data_encoding::BASE64URL_NOPAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Stage, required};

/// The public keys of access tokens: a JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeySet {
    pub(super) keys: Vec<PublicKey>,
}

/// A public key for Ed25519 (RFC 8037).
// Unknown members are refused, so that a private key (member `d`) is never published by mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicKey {
    /// Always `OKP`.
    kty: String,
    /// Always `Ed25519`.
    crv: String,
    /// Always `sig`: the key verifies signatures.
    #[serde(rename = "use")]
    usage: String,
    /// Always `EdDSA`.
    alg: String,
    /// The id of the key. The header of each token names the key that signed it.
    pub(super) kid: String,
    /// The key itself, in base64url.
    x: String,
}

impl KeySet {
    /// Reads `JWT_PUBLIC_KEYS`.
    ///
    /// # Errors
    ///
    /// Fails if the variable is missing, is not a set of Ed25519 signature keys with different ids,
    /// or contains a development key outside the stage `local`. Also fails if `STAGE` is missing or
    /// unknown.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Self::parse(&required("JWT_PUBLIC_KEYS")?, Stage::from_env()?)
    }

    pub(super) fn parse(text: &str, stage: Stage) -> std::result::Result<Self, ConfigError> {
        let invalid = |problem: String| ConfigError::new("JWT_PUBLIC_KEYS", problem);
        let set: Self = serde_json::from_str(text)
            .map_err(|e| invalid(format!("is not a JSON Web Key Set of public keys: {e}")))?;
        if set.keys.is_empty() {
            return Err(invalid("contains no key".to_owned()));
        }
        for (index, key) in set.keys.iter().enumerate() {
            let kid = &key.kid;
            if [&*key.kty, &*key.crv, &*key.usage, &*key.alg] != ["OKP", "Ed25519", "sig", "EdDSA"]
            {
                return Err(invalid(format!("key `{kid}` is not an Ed25519 key for signatures")));
            }
            if set.keys[..index].iter().any(|earlier| earlier.kid == *kid) {
                return Err(invalid(format!("contains two keys with the id `{kid}`")));
            }
            check_stage(kid, stage).map_err(invalid)?;
            key.bytes()
                .ok_or_else(|| invalid(format!("key `{kid}`: `x` is not 32 bytes in base64url")))?;
        }
        Ok(set)
    }
}

impl PublicKey {
    /// Returns the 32 bytes of the key, or `None` if `x` is not 32 bytes in base64url.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        BASE64URL_NOPAD.decode(self.x.as_bytes()).ok().filter(|bytes| bytes.len() == 32)
    }
}

/// Refuses development keys outside the stage `local`. Their ids start with `local-`, and their
/// private halves are in the repository.
fn check_stage(key_id: &str, stage: Stage) -> std::result::Result<(), String> {
    match key_id.starts_with("local-") && stage != Stage::Local {
        true => Err(format!(
            "`{key_id}` is a development key; create a key for this stage (docs/operations.md)"
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The keys in `local.env`.
    pub(in crate::auth) const PUBLISHED_KEYS: &str = r#"{"keys":[
        {"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"local-1","x":"xqjtIIsUwRtc1gSh_xYeWrY_RLzDQjU7aSSyFVqpS2I"},
        {"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"local-2","x":"XCj1fVd8Ob9qD4ju41NAj8PqtdbSxdMfcGe3CswH_SM"}
    ]}"#;
    /// The private half of `local-2`.
    pub(in crate::auth) const LOCAL_2_PRIVATE_KEY: &str =
        "MC4CAQAwBQYDK2VwBCIEID7UQ00rNqg9xK5+GxSYkiKHAFEr8O306b8LiH74r4C3";

    #[test]
    fn a_key_set_contains_only_public_ed25519_keys_with_different_ids() {
        let parse = |text: &str| KeySet::parse(text, Stage::Local);
        assert_eq!(parse(PUBLISHED_KEYS).unwrap().keys.len(), 2);
        let private =
            PUBLISHED_KEYS.replace(r#""kid":"local-1""#, r#""kid":"local-1","d":"c2VjcmV0""#);
        for wrong in [
            "",
            "{}",
            r#"{"keys":[]}"#,
            &private,
            &PUBLISHED_KEYS.replace("local-2", "local-1"),
            &PUBLISHED_KEYS.replace("EdDSA", "HS256"),
            &PUBLISHED_KEYS.replace("OKP", "RSA"),
            &PUBLISHED_KEYS.replace("xqjtIIsU", "xqjtIIs="),
            &PUBLISHED_KEYS.replace("xqjtIIsU", ""),
        ] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with("environment variable JWT_PUBLIC_KEYS"), "{error}");
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
    }

    #[test]
    fn development_keys_are_refused_outside_the_local_stage() {
        for stage in [Stage::Dev, Stage::Staging, Stage::Production] {
            assert!(KeySet::parse(PUBLISHED_KEYS, stage).is_err());
            assert!(KeySet::parse(&PUBLISHED_KEYS.replace("local-", "key-"), stage).is_ok());
        }
    }
}
