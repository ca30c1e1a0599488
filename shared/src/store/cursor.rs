//! Pagination cursors. A cursor is a DynamoDB start key, encrypted and authenticated, so a client
//! can't read the keys in it, forge one, or use it for another list.

use data_encoding::BASE64URL_NOPAD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::row::{Item, string};
use crate::config::{ConfigError, secret};
use crate::error::{Error, Result, catalogue};

/// The page that a client requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The most items to return.
    pub limit: usize,
    /// The `next_cursor` of the previous page, or `None` for the first page.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The cursor of the next page, or `None` on the last page.
    pub next_cursor: Option<String>,
}

/// The key that seals and opens cursors (AES-256-GCM, with the list's id as associated data).
pub struct CursorKey(LessSafeKey);

impl CursorKey {
    /// Derives the key from the secret `CURSOR_KEY`, which has 32 characters or more.
    ///
    /// # Errors
    /// Fails if `CURSOR_KEY` is missing or too short.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let secret = secret("CURSOR_KEY")?;
        if secret.expose().len() < 32 {
            return Err(ConfigError::new("CURSOR_KEY", "is shorter than 32 characters"));
        }
        Self::new(secret.expose().as_bytes()).map_err(|e| ConfigError::new("CURSOR_KEY", e))
    }

    fn new(secret: &[u8]) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, digest(&SHA256, secret).as_ref())
            .map_err(|_| Error::internal("the cursor key is invalid"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Returns the cursor for this position in a list. `list_id` identifies the list, including its
    /// owner and its filters.
    pub(crate) fn seal(&self, list_id: &str, position: &Item) -> Result<String> {
        let position: std::collections::BTreeMap<&str, &str> = position
            .iter()
            .map(|(name, value)| match value.as_s() {
                Ok(text) => Ok((name.as_str(), text.as_str())),
                Err(_) => Err(Error::internal(format!("the key attribute {name} is not a string"))),
            })
            .collect::<Result<_>>()?;
        let mut data = serde_json::to_vec(&position).map_err(Error::internal)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Error::internal("no random nonce"))?;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(list_id),
                &mut data,
            )
            .map_err(|_| Error::internal("the cursor can't be sealed"))?;
        Ok(BASE64.encode(&[&nonce[..], &data].concat()))
    }

    /// Returns the position in a cursor that was sealed for the same list.
    pub(crate) fn open(&self, list_id: &str, cursor: &str) -> Result<Item> {
        let invalid = || {
            Error::new(
                &catalogue::INVALID_CURSOR,
                "Send the `next_cursor` of the same list unchanged, with the same filters.",
            )
        };
        let bytes = BASE64.decode(cursor.as_bytes()).map_err(|_| invalid())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(invalid)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| invalid())?;
        let data =
            self.0.open_in_place(nonce, Aad::from(list_id), &mut sealed).map_err(|_| invalid())?;
        let position: std::collections::BTreeMap<String, String> =
            serde_json::from_slice(data).map_err(|_| invalid())?;
        Ok(position.into_iter().map(|(k, v)| (k, string(v))).collect())
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
        Item::from([("pk".to_owned(), string("ORDER#1"))])
    }

    #[test]
    fn a_cursor_only_opens_for_its_own_list_and_key() {
        let key = CursorKey::new(&[7; 32]).unwrap();
        let cursor = key.seal("orders/client/1", &position()).unwrap();
        assert_eq!(key.open("orders/client/1", &cursor).unwrap(), position());
        assert!(key.open("orders/client/2", &cursor).unwrap_err().is(&catalogue::INVALID_CURSOR));
        assert!(CursorKey::new(&[8; 32]).unwrap().open("orders/client/1", &cursor).is_err());
    }

    #[test]
    fn an_altered_or_forged_cursor_is_rejected() {
        let key = CursorKey::new(&[7; 32]).unwrap();
        let cursor = key.seal("list", &position()).unwrap();
        for at in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert!(key.open("list", std::str::from_utf8(&altered).unwrap()).is_err(), "byte {at}");
        }
        for forged in ["", "x", "AAAA", "é", &"A".repeat(500)] {
            assert!(key.open("list", forged).is_err(), "{forged}");
        }
    }
}
