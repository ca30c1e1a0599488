//! Cursors: where a list goes on, sealed so that a client can neither read keys out of one nor make
//! one up, nor use it for another list.

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::row::Item;
use crate::config::{ConfigError, required};
use crate::error::{Error, Result, catalogue};

/// One page as DynamoDB gave it.
#[derive(Debug, Clone)]
pub(crate) struct Page<T> {
    /// The items of the page, in the list's order.
    pub(crate) items: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub(crate) next: Option<Item>,
}

/// The page that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Items at most.
    pub limit: usize,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The page that a caller gets.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// What to go on with; `None` at the end.
    pub next_cursor: Option<String>,
}

/// Seals and opens cursors (AES-256-GCM; the list's name and filters are authenticated with it).
pub struct CursorKey(LessSafeKey);

impl CursorKey {
    /// From the secret `CURSOR_KEY`: 32 characters or more.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let secret = required("CURSOR_KEY")?;
        if secret.len() < 32 {
            return Err(ConfigError::new("CURSOR_KEY", "is shorter than 32 characters"));
        }
        Self::new(secret.as_bytes()).map_err(|e| ConfigError::new("CURSOR_KEY", e))
    }

    fn new(secret: &[u8]) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, digest(&SHA256, secret).as_ref())
            .map_err(|_| Error::internal("no cursor key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// The cursor that `list` goes on with (its name, its owner and its filters, as one string).
    pub(crate) fn seal(&self, list: &str, position: &Item) -> Result<String> {
        let position: std::collections::BTreeMap<&str, &str> = position
            .iter()
            .filter_map(|(k, v)| Some((k.as_str(), v.as_s().ok()?.as_str())))
            .collect();
        let mut data = serde_json::to_vec(&position).map_err(Error::internal)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Error::internal("no randomness"))?;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(list),
                &mut data,
            )
            .map_err(|_| Error::internal("cursor can't be sealed"))?;
        Ok(BASE64.encode(&[&nonce[..], &data].concat()))
    }

    /// The position in a cursor that was sealed for the same list.
    pub(crate) fn open(&self, list: &str, cursor: &str) -> Result<Item> {
        let invalid = || {
            Error::new(
                &catalogue::INVALID_CURSOR,
                "Use `next_cursor` of the same list, with the same filters, as it was given.",
            )
        };
        let bytes = BASE64.decode(cursor.as_bytes()).map_err(|_| invalid())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(invalid)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| invalid())?;
        let data =
            self.0.open_in_place(nonce, Aad::from(list), &mut sealed).map_err(|_| invalid())?;
        let position: std::collections::BTreeMap<String, String> =
            serde_json::from_slice(data).map_err(|_| invalid())?;
        Ok(position.into_iter().map(|(k, v)| (k, AttributeValue::S(v))).collect())
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Item {
        Item::from([("pk".to_owned(), AttributeValue::S("ORDER#1".to_owned()))])
    }

    #[test]
    fn a_cursor_opens_for_the_list_it_was_sealed_for_and_no_other() {
        let key = CursorKey::new(&[7; 32]).unwrap();
        let cursor = key.seal("orders/client/1", &position()).unwrap();
        assert_eq!(key.open("orders/client/1", &cursor).unwrap(), position());
        assert!(key.open("orders/client/2", &cursor).unwrap_err().is(&catalogue::INVALID_CURSOR));
        assert!(CursorKey::new(&[8; 32]).unwrap().open("orders/client/1", &cursor).is_err());
    }

    #[test]
    fn an_altered_or_made_up_cursor_is_refused() {
        let key = CursorKey::new(&[7; 32]).unwrap();
        let cursor = key.seal("list", &position()).unwrap();
        for at in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert!(key.open("list", std::str::from_utf8(&altered).unwrap()).is_err(), "byte {at}");
        }
        for made_up in ["", "x", "AAAA", "é", &"A".repeat(500)] {
            assert!(key.open("list", made_up).is_err(), "{made_up}");
        }
    }
}
