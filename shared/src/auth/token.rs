//! Access tokens: short-lived JWTs (RFC 9068), signed with Ed25519. Every function verifies them
//! with public keys only.
//!
//! As RFC 8725 requires, the algorithm is pinned; `kid` is looked up in a fixed map and never
//! fetched; a header with other members than `alg`, `typ` and `kid` is refused, whether it points
//! to a key (`jku`, `jwk`, `x5u`, `x5c`) or declares an extension (`crit`); and `iss`, `aud`,
//! `exp`, `iat`, `sub` and `jti` are required.
//!
//! To rotate keys without signing anyone out, publish the new key beside the old one in
//! `JWT_PUBLIC_KEYS`, sign with it once caches have it (`Cache-Control` of
//! `/.well-known/jwks.json`), and remove the old one when the tokens it signed have expired.

use std::collections::HashMap;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};

use super::key_set::{KeySet, PublicKey};
use super::opaque::random;
use super::signature;
use crate::config::{ConfigError, Secret, parsed, required};
use crate::domain::ids::UserId;
use crate::domain::user::Role;
use crate::error::{Error, Result, catalogue};
use crate::secrets::{FromSecret, Members, SecretText};

/// The `typ` of an access token (RFC 9068, section 2.1), which distinguishes it from other JWTs.
const TYPE: &str = "at+jwt";
/// How many seconds two clocks may differ.
const LEEWAY: u64 = 5;

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    pub sub: UserId,
    /// The user's role. Writes also check the role of the stored account.
    pub role: Role,
    /// The session (the family of refresh tokens) that the token was issued in.
    pub sid: String,
    /// The unique id of the token.
    pub jti: String,
    /// The issuer.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: i64,
    /// When it expires, in seconds since the Unix epoch.
    pub exp: i64,
}

/// Verifies access tokens.
pub struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

/// The header of an access token. Other members are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenHeader {
    alg: Algorithm,
    typ: String,
    kid: String,
}

impl TokenHeader {
    fn parse(token: &str) -> Option<Self> {
        let (header, _) = token.split_once('.')?;
        serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).ok()?).ok()
    }
}

impl Verifier {
    /// Reads `JWT_PUBLIC_KEYS` (a JSON Web Key Set) and `JWT_ISSUER`.
    ///
    /// # Errors
    ///
    /// Fails if a variable is missing or invalid ([`KeySet::from_env`]).
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self::new(&KeySet::from_env()?, &required("JWT_ISSUER")?))
    }

    fn new(set: &KeySet, issuer: &str) -> Self {
        signature::install();
        let key =
            |key: &PublicKey| Some((key.kid.clone(), DecodingKey::from_ed_der(&key.bytes()?)));
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[issuer]);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        Self { keys: set.keys.iter().filter_map(key).collect(), validation }
    }

    /// Returns the claims of a valid token.
    ///
    /// # Errors
    ///
    /// `invalid_token` if the token is not valid. Only the log contains the reason.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        self.check(token).map_err(|reason| {
            let detail =
                "The access token is not valid or has expired. Get a new one from POST /auth/token.";
            Error::new(&catalogue::INVALID_TOKEN, detail).with_source(reason)
        })
    }

    fn check(&self, token: &str) -> std::result::Result<Claims, String> {
        let header =
            TokenHeader::parse(token).ok_or("the header is not the header of an access token")?;
        if header.alg != Algorithm::EdDSA || header.typ != TYPE {
            return Err("alg is not EdDSA, or typ is not at+jwt".to_owned());
        }
        let key = self.keys.get(&header.kid).ok_or("unknown kid")?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map_err(|error| error.to_string())?
            .claims;
        let now = Timestamp::now().as_second();
        match claims.iat <= now + LEEWAY.cast_signed() && !claims.jti.is_empty() {
            true => Ok(claims),
            false => Err("iat is in the future, or jti is empty".to_owned()),
        }
    }
}

/// Signs access tokens. Only the function that signs users in has the key.
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
    issuer: String,
    lifetime: SignedDuration,
    successor_key: hmac::Key,
}

impl FromSecret for Issuer {
    const VARIABLE: &'static str = "JWT_SECRET";

    /// Reads the members `signing_key` (base64 of an Ed25519 key in PKCS#8) and `kid`, and the
    /// variables `JWT_PUBLIC_KEYS`, `JWT_ISSUER` and `ACCESS_TOKEN_SECONDS` (default 900).
    ///
    /// Fails if the key is not one of `JWT_PUBLIC_KEYS`: an execution environment whose tokens
    /// nobody would accept must not start.
    fn parse(text: &SecretText) -> std::result::Result<Self, String> {
        let members = Members::parse(&text.current)?;
        let (key, key_id) = (members.text("signing_key")?, members.text("kid")?);
        let variables = || -> std::result::Result<_, ConfigError> {
            let lifetime = parsed("ACCESS_TOKEN_SECONDS", 900_u32)?;
            Ok((KeySet::from_env()?, required("JWT_ISSUER")?, lifetime))
        };
        let (published, issuer, seconds) =
            variables().map_err(|error| format!("can't be used: {error}"))?;
        Self::new(key, key_id, &published, issuer, seconds)
    }
}

impl Issuer {
    fn new(
        key: &str,
        key_id: &str,
        published: &KeySet,
        issuer: String,
        seconds: u32,
    ) -> std::result::Result<Self, String> {
        signature::install();
        let invalid =
            || "has a member `signing_key` that is not an Ed25519 key in base64 PKCS#8".to_owned();
        let der = BASE64.decode(key.as_bytes()).map_err(|_| invalid())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| invalid())?;
        let public = published.keys.iter().find(|key| key.kid == key_id).and_then(PublicKey::bytes);
        if public.as_deref() != Some(pair.public_key().as_ref()) {
            return Err("has a member `kid` that does not name the key of JWT_PUBLIC_KEYS that \
                        belongs to `signing_key`"
                .to_owned());
        }
        // The key for successors is derived from the signing key. RFC 5869 would extract and
        // expand, but a single HMAC is as good for a uniformly random key.
        let successor_key =
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &der), b"successors of refresh tokens");
        Ok(Self {
            successor_key: hmac::Key::new(hmac::HMAC_SHA256, successor_key.as_ref()),
            key: EncodingKey::from_ed_der(&der),
            key_id: key_id.to_owned(),
            issuer,
            lifetime: SignedDuration::from_secs(i64::from(seconds)),
        })
    }

    /// Returns how long the tokens of this issuer are valid.
    pub fn lifetime(&self) -> SignedDuration {
        self.lifetime
    }

    /// Returns the bits of the refresh token that replaces this one. They are always the same, so
    /// that repeated and simultaneous requests get the same response. They cannot be computed
    /// without the key.
    pub fn successor(&self, refresh_token: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.successor_key, refresh_token.as_bytes());
        let mut bits = [0; 32];
        bits.copy_from_slice(tag.as_ref());
        bits
    }

    /// Issues an access token for `user` in `session`.
    ///
    /// # Errors
    ///
    /// `internal` if there are no random bytes for the token's id, or signing fails.
    pub fn issue(
        &self,
        user: &UserId,
        role: Role,
        session: &str,
        now: Timestamp,
    ) -> Result<Secret> {
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::key_set::tests::{LOCAL_2_PRIVATE_KEY, PUBLISHED_KEYS};
    use crate::config::Stage;

    const LOCAL_1_PRIVATE_KEY: &str =
        "MC4CAQAwBQYDK2VwBCIEII9WOTpU7JS8yia/rQ53hNM7W0kMXZV3Tj/w6KIcxNWt";

    fn issuer(key: &str, key_id: &str) -> std::result::Result<Issuer, String> {
        let published = KeySet::parse(PUBLISHED_KEYS, Stage::Local).unwrap();
        Issuer::new(key, key_id, &published, "here".to_owned(), 900)
    }

    #[test]
    fn an_issuer_with_an_unpublished_key_does_not_start() {
        assert!(issuer(LOCAL_1_PRIVATE_KEY, "local-1").is_ok());
        for (key, key_id) in [
            (LOCAL_1_PRIVATE_KEY, "local-2"),
            (LOCAL_1_PRIVATE_KEY, "local-3"),
            (LOCAL_2_PRIVATE_KEY, "local-1"),
            ("bm9uZQ==", "local-1"),
            ("?", "local-1"),
        ] {
            let error = issuer(key, key_id).err().unwrap();
            assert!(!error.contains(key), "{error}");
        }
    }

    #[test]
    fn a_token_is_valid_only_for_its_issuer_and_until_it_expires() {
        let published = KeySet::parse(PUBLISHED_KEYS, Stage::Local).unwrap();
        let issuer = issuer(LOCAL_1_PRIVATE_KEY, "local-1").unwrap();
        let user = UserId::derived(&["u"]);
        let issue = |age: i64| {
            let issued_at = Timestamp::now() - SignedDuration::from_secs(age);
            issuer.issue(&user, Role::Client, "s", issued_at).unwrap()
        };
        let here = Verifier::new(&published, "here");
        let claims = here.verify(issue(0).expose()).unwrap();
        assert_eq!(
            (claims.sub, claims.sid.as_str(), claims.exp - claims.iat),
            (user.clone(), "s", 900)
        );
        assert!(Verifier::new(&published, "elsewhere").verify(issue(0).expose()).is_err());
        assert!(here.verify(issue(890).expose()).is_ok());
        assert!(here.verify(issue(900 + 60).expose()).is_err());
        assert!(here.verify(issue(-60).expose()).is_err(), "from the future");
    }

    #[test]
    fn a_refresh_token_has_one_successor_that_depends_on_the_key() {
        let (one, other) = (
            issuer(LOCAL_1_PRIVATE_KEY, "local-1").unwrap(),
            issuer(LOCAL_2_PRIVATE_KEY, "local-2").unwrap(),
        );
        assert_eq!(one.successor("t1"), one.successor("t1"));
        assert_ne!(one.successor("t1"), one.successor("t2"));
        assert_ne!(one.successor("t1"), other.successor("t1"));
    }
}
