//! Access tokens: short-lived JWTs (RFC 9068), signed with Ed25519 and verified by every function with public keys only.
//!
//! What RFC 8725 asks for: one algorithm, pinned; `kid` looked up in a fixed map and never fetched; `typ`, `iss`, `aud`, `exp`, `iat`, `sub` and
//! `jti` required; headers that point to keys (`jku`, `jwk`, `x5u`, `x5c`) ignored.

use std::collections::HashMap;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::{random, signature};
use crate::config::{ConfigError, Secret, Stage, parsed, required, secret};
use crate::domain::ids::UserId;
use crate::domain::user::Role;
use crate::error::{Error, Result, catalogue};

/// `typ` of an access token (RFC 9068, section 2.1), so that no other JWT passes for one.
const TYPE: &str = "at+jwt";
/// Seconds by which clocks may differ.
const LEEWAY: u64 = 5;

/// What an access token says of its bearer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: UserId,
    /// What the user is; writes check it against the account as well.
    pub role: Role,
    /// The session (family of refresh tokens) that the token was issued in.
    pub sid: String,
    /// Unique id of the token.
    pub jti: String,
    /// Who issued it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// When it was issued, in epoch seconds.
    pub iat: i64,
    /// When it ends, in epoch seconds.
    pub exp: i64,
}

/// Verifies access tokens.
pub struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct PublicKey {
    kty: String,
    crv: String,
    kid: String,
    x: String,
}

impl Verifier {
    /// From `JWT_PUBLIC_KEYS` (a JSON Web Key Set) and `JWT_ISSUER`.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let stage = Stage::from_env()?;
        Self::new(&required("JWT_PUBLIC_KEYS")?, &required("JWT_ISSUER")?, stage)
    }

    fn new(keys: &str, issuer: &str, stage: Stage) -> std::result::Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("JWT_PUBLIC_KEYS", problem);
        signature::install();
        let set: KeySet = serde_json::from_str(keys).map_err(|e| wrong(format!("is no JSON Web Key Set: {e}")))?;
        let mut map = HashMap::new();
        for key in set.keys {
            if key.kty != "OKP" || key.crv != "Ed25519" {
                return Err(wrong(format!("key `{}` is not an Ed25519 key", key.kid)));
            }
            check_stage(&key.kid, stage).map_err(wrong)?;
            let bytes = BASE64URL_NOPAD.decode(key.x.as_bytes()).ok().filter(|b| b.len() == 32);
            let bytes = bytes.ok_or_else(|| wrong(format!("key `{}`: x is not 32 bytes of base64url", key.kid)))?;
            map.insert(key.kid, DecodingKey::from_ed_der(&bytes));
        }
        if map.is_empty() {
            return Err(wrong("holds no key".to_owned()));
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[issuer]);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        Ok(Self { keys: map, validation })
    }

    /// The claims of a valid token; anything else is the same 401.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        let invalid = |why: String| {
            Error::new(
                &catalogue::INVALID_TOKEN,
                "The access token is not valid or has ended. Get a new one from POST /auth/token.",
            )
            .with_source(why)
        };
        let header = jsonwebtoken::decode_header(token).map_err(|e| invalid(e.to_string()))?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(invalid("typ is not at+jwt".to_owned()));
        }
        let key = header
            .kid
            .as_deref()
            .and_then(|kid| self.keys.get(kid))
            .ok_or_else(|| invalid("unknown kid".to_owned()))?;
        jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map(|t| t.claims)
            .map_err(|e| invalid(e.to_string()))
    }
}

/// Signs access tokens. Only the functions that sign people in have the key.
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
    issuer: String,
    lifetime: SignedDuration,
}

impl Issuer {
    /// From `JWT_SIGNING_KEY` (base64 of an Ed25519 key in PKCS#8), `JWT_SIGNING_KEY_ID`, `JWT_ISSUER` and `ACCESS_TOKEN_SECONDS` (900 unless set).
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let seconds = parsed("ACCESS_TOKEN_SECONDS", 900_u32)?;
        Self::new(
            &secret("JWT_SIGNING_KEY")?,
            required("JWT_SIGNING_KEY_ID")?,
            required("JWT_ISSUER")?,
            seconds,
            Stage::from_env()?,
        )
    }

    fn new(
        key: &Secret,
        key_id: String,
        issuer: String,
        seconds: u32,
        stage: Stage,
    ) -> std::result::Result<Self, ConfigError> {
        signature::install();
        check_stage(&key_id, stage).map_err(|e| ConfigError::new("JWT_SIGNING_KEY_ID", e))?;
        let wrong = || ConfigError::new("JWT_SIGNING_KEY", "is not an Ed25519 key in base64 PKCS#8");
        let der = BASE64.decode(key.expose().as_bytes()).map_err(|_| wrong())?;
        ring::signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| wrong())?;
        Ok(Self {
            key: EncodingKey::from_ed_der(&der),
            key_id,
            issuer,
            lifetime: SignedDuration::from_secs(i64::from(seconds)),
        })
    }

    /// How long its tokens are valid.
    pub fn lifetime(&self) -> SignedDuration {
        self.lifetime
    }

    /// An access token for `user` in `session`.
    pub fn issue(&self, user: &UserId, role: Role, session: &str, now: Timestamp) -> Result<Secret> {
        let header =
            Header { typ: Some(TYPE.to_owned()), kid: Some(self.key_id.clone()), ..Header::new(Algorithm::EdDSA) };
        let claims = Claims {
            sub: user.clone(),
            role,
            sid: session.to_owned(),
            jti: BASE64URL_NOPAD.encode(&random::<16>()?),
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            iat: now.as_second(),
            exp: (now + self.lifetime).as_second(),
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map(Secret::new).map_err(Error::internal)
    }
}

/// Keys whose name starts with `local-` are in the repository, for laptops: refused anywhere else.
fn check_stage(key_id: &str, stage: Stage) -> std::result::Result<(), String> {
    match key_id.starts_with("local-") && stage != Stage::Local {
        true => Err(format!("`{key_id}` is a development key; make one for this stage (docs/operations.md)")),
        false => Ok(()),
    }
}
