//! Identifiers. Ours consist of a type prefix and 26 characters. Stripe's are used as they are, but
//! only a limited character set is accepted.
//!
//! Both are validated wherever they enter (parsing, deserializing), so an identifier can never
//! contain the separator of a database key.

use data_encoding::BASE32HEX_NOPAD;
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::error::Invalid;
use super::strings::string_type;

/// Encodes 128 bits as 26 characters of `0-9a-v` (base32hex, RFC 4648 section 7). The encoding
/// preserves the sort order of the bits.
fn encode(bits: [u8; 16]) -> String {
    BASE32HEX_NOPAD.encode(&bits).to_ascii_lowercase()
}

/// Returns the first 128 bits of a SHA-256 over `domain` and `parts`, encoded. Each part is
/// preceded by its length, so no two lists of parts give the same input.
fn hash(domain: &str, parts: &[&[u8]]) -> String {
    let mut input = Vec::new();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        input.extend_from_slice(&(part.len() as u64).to_be_bytes());
        input.extend_from_slice(part);
    }
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest(&SHA256, &input).as_ref()[..16]);
    encode(bits)
}

fn is_encoded(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'v'))
}

/// A fingerprint of something that must be recognized but not stored (an `Idempotency-Key`, a
/// request body): 128 bits of SHA-256.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Returns the fingerprint of a list of byte strings. Lists that differ in any part, or in
    /// where a part ends, have different fingerprints.
    pub fn of(parts: &[&[u8]]) -> Self {
        Self(hash("fingerprint", parts))
    }

    /// Returns the 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        if is_encoded(&text) {
            Ok(Self(text))
        } else {
            Err(Invalid::new("invalid_fingerprint", "Must be a fingerprint of 26 characters."))
        }
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

// `$sample` is the name of an object in the sample data, if it contains any of this type. The
// function `seed` derives ids from names, so the example ids in the API description exist on a
// laptop.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $sample:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend(
            "pattern" = concat!("^", $prefix, "[0-9a-v]{26}$"),
            "examples" = [Self::derived(&["seed", $sample])],
        ))]
        pub struct $name(String);

        impl $name {
            /// The prefix of every identifier of this type.
            pub const PREFIX: &'static str = $prefix;

            /// Creates a new identifier. With a `Uuid::now_v7()`, identifiers sort by their time of
            /// creation.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(format!(concat!($prefix, "{}"), encode(*uuid.as_bytes())))
            }

            /// Derives an identifier from these parts, such as a caller and an `Idempotency-Key`.
            /// The same parts always give the same identifier.
            pub fn derived(parts: &[&str]) -> Self {
                let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
                Self(format!(concat!($prefix, "{}"), hash($prefix, &parts)))
            }

            /// Returns the identifier for the object that a request creates. With an idempotency
            /// key, it is the same each time, so the object itself proves that the request was
            /// carried out. Without a key, it is new.
            pub fn for_request(key: Option<&Fingerprint>, new: Uuid) -> Self {
                key.map_or_else(|| Self::from_uuid(new), |key| Self::derived(&[key.as_str()]))
            }

            /// Accepts exactly what the constructors create: the prefix and 26 characters of
            /// `0-9a-v`.
            ///
            /// # Errors
            ///
            /// Code `invalid_id` for anything else.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                match text.strip_prefix($prefix) {
                    Some(rest) if is_encoded(rest) => Ok(Self(text.to_owned())),
                    _ => Err(Invalid::new("invalid_id", concat!("Must be an identifier that starts with ", $prefix, "."))),
                }
            }
        }
        string_type!($name);
    };
}

macro_rules! stripe_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = "^[A-Za-z0-9_]{1,255}$"))]
        pub struct $name(String);

        impl $name {
            /// Accepts 1 to 255 characters of `A-Za-z0-9_`. Stripe asks integrations not to rely on
            /// prefixes (<https://docs.stripe.com/upgrades>, "backward-compatible changes").
            ///
            /// # Errors
            ///
            /// Code `invalid_id` for anything else.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let fits = (1..=255).contains(&text.len());
                if fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Invalid::new("invalid_id", "Must be a Stripe identifier."))
                }
            }
        }
        string_type!($name);
    };
}

id!(/// The id of a user.
    UserId, "usr_", "worker1");
id!(/// The id of a service.
    ServiceId, "svc_", "Graphic Design");
id!(/// The id of an order.
    OrderId, "ord_", "order");
id!(/// The id of a message between an order's client and its worker.
    MessageId, "msg_", "message");
// Derived from the event that the entry reports, so that processing an event again does not add a
// second entry.
id!(/// The id of a feed entry.
    EntryId, "ent_", "entry");
id!(/// The id of a broadcast by an administrator.
    BroadcastId, "brc_", "broadcast");

impl UserId {
    /// Returns an id that no user has.
    pub fn nobody() -> Self {
        Self::derived(&["nobody"])
    }
}

stripe_id!(/// Stripe's id of a payment intent (`pi_...`).
    PaymentIntentId);
stripe_id!(/// Stripe's id of a charge (`ch_...`).
    ChargeId);
stripe_id!(/// Stripe's id of a refund (`re_...`).
    RefundId);
stripe_id!(/// Stripe's id of a dispute over a charge (`dp_...`), called a chargeback here.
    ChargebackId);
stripe_id!(/// Stripe's id of a webhook event (`evt_...`).
    StripeEventId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_parses_and_sorts_like_its_uuid() {
        let ids: Vec<_> =
            [1_u128, 2, 1 << 80, u128::MAX].map(|n| UserId::from_uuid(Uuid::from_u128(n))).into();
        assert!(ids.is_sorted());
        for id in ids {
            assert_eq!(id.as_str().len(), 30);
            assert_eq!(UserId::parse(id.as_str()), Ok(id));
        }
    }

    #[test]
    fn a_derived_id_depends_on_each_part_its_position_and_the_type() {
        let id = OrderId::derived(&["ab", "c"]);
        assert_eq!(id, OrderId::derived(&["ab", "c"]));
        assert_eq!(OrderId::parse(id.as_str()), Ok(id.clone()));
        assert_ne!(id, OrderId::derived(&["a", "bc"]));
        assert_ne!(id, OrderId::derived(&["abc"]));
        assert_ne!(id, OrderId::derived(&["c", "ab"]));
        assert_ne!(id.as_str()[4..], ServiceId::derived(&["ab", "c"]).as_str()[4..]);
    }

    #[test]
    fn a_string_that_could_break_a_database_key_is_not_an_id() {
        let good = UserId::derived(&["x"]).to_string();
        for bad in [
            "".to_owned(),
            "usr_".to_owned(),
            good[4..].to_owned(),
            good.to_uppercase(),
            good.replace("usr_", "svc_"),
            format!("{}#", &good[..29]),
            format!("{good}0"),
            format!("{} ", &good[..29]),
            format!("{}w", &good[..29]),
            format!("{}é", &good[..28]),
        ] {
            assert!(UserId::parse(&bad).is_err(), "{bad:?}");
            assert!(serde_json::from_value::<UserId>(bad.clone().into()).is_err(), "{bad:?}");
        }
        for bad in ["", "pi_1#x", "pi 1", "pi_é", &"p".repeat(256)] {
            assert!(PaymentIntentId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(PaymentIntentId::parse("pi_3MtwBwLkdIwHu7ix28a3tqPa").is_ok());
    }

    #[test]
    fn an_id_is_a_string_in_json() {
        let id = ServiceId::derived(&["x"]);
        assert_eq!(serde_json::to_value(&id).unwrap(), serde_json::Value::from(id.as_str()));
        let fingerprint = Fingerprint::of(&[b"x"]);
        assert_eq!(
            serde_json::from_value::<Fingerprint>(fingerprint.as_str().into()).unwrap(),
            fingerprint
        );
    }
}
