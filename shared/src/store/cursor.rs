//! Pagination cursors. A cursor is a DynamoDB start key, encrypted and authenticated, so a client
//! can't read the keys in it, forge one, or use it for another list.

use data_encoding::BASE64URL_NOPAD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::row::{Item, string};
use crate::error::{Error, Result, catalogue};
use crate::secrets::{CachedSecret, FromSecret, SecretText};

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

/// Seals and opens cursors (AES-256-GCM, with the list's id as associated data).
pub struct CursorKeys {
    /// Seals cursors, and opens them.
    current: LessSafeKey,
    /// Opens cursors from before the key was rolled.
    previous: Option<LessSafeKey>,
}

impl FromSecret for CursorKeys {
    const VARIABLE: &'static str = "CURSOR_SECRET";
    const ACCEPTS_PREVIOUS: bool = true;

    /// Derives the keys from the secret's text, which has 32 characters or more.
    fn parse(text: &SecretText) -> std::result::Result<Self, String> {
        let current = key(&text.current)?;
        let previous = text.previous.as_deref().map(key).transpose()?;
        Ok(Self { current, previous })
    }
}

fn key(secret: &str) -> std::result::Result<LessSafeKey, String> {
    if secret.len() < 32 {
        return Err("is shorter than 32 characters".to_owned());
    }
    let key = UnboundKey::new(&AES_256_GCM, digest(&SHA256, secret.as_bytes()).as_ref());
    key.map(LessSafeKey::new).map_err(|_| "is not usable as a key".to_owned())
}

impl CachedSecret<CursorKeys> {
    /// Returns the cursor for this position in a list. `list_id` identifies the list, including its
    /// owner and its filters.
    pub(crate) fn seal(&self, list_id: &str, position: &Item) -> Result<String> {
        self.current().seal(list_id, position)
    }

    /// Returns the position in a cursor that was sealed for the same list. If the cursor does not
    /// open, the key may have been rolled: the secret is read again, with its previous version.
    pub(crate) async fn open(&self, list_id: &str, cursor: Option<&str>) -> Result<Option<Item>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let opened = self.current().open(list_id, cursor);
        if opened.is_ok() {
            return opened.map(Some);
        }
        match self.read_again().await {
            Some(rolled) => rolled.open(list_id, cursor).map(Some),
            None => opened.map(Some),
        }
    }
}

impl CursorKeys {
    fn seal(&self, list_id: &str, position: &Item) -> Result<String> {
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
        self.current
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(list_id),
                &mut data,
            )
            .map_err(|_| Error::internal("the cursor can't be sealed"))?;
        Ok(BASE64.encode(&[&nonce[..], &data].concat()))
    }

    fn open(&self, list_id: &str, cursor: &str) -> Result<Item> {
        let invalid = || {
            Error::new(
                &catalogue::INVALID_CURSOR,
                "Send the `next_cursor` of the same list unchanged, with the same filters.",
            )
        };
        let bytes = BASE64.decode(cursor.as_bytes()).map_err(|_| invalid())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(invalid)?;
        let open = |key: &LessSafeKey| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut sealed = sealed.to_vec();
            key.open_in_place(nonce, Aad::from(list_id), &mut sealed).ok().map(|data| data.to_vec())
        };
        let data = open(&self.current).or_else(|| open(self.previous.as_ref()?));
        let position: std::collections::BTreeMap<String, String> =
            serde_json::from_slice(&data.ok_or_else(invalid)?).map_err(|_| invalid())?;
        Ok(position.into_iter().map(|(k, v)| (k, string(v))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys from secrets that repeat one character.
    fn keys(current: char, previous: Option<char>) -> CursorKeys {
        let secret = |of: char| of.to_string().repeat(64);
        let text = SecretText { current: secret(current), previous: previous.map(secret) };
        CursorKeys::parse(&text).unwrap()
    }

    fn position() -> Item {
        Item::from([("pk".to_owned(), string("ORDER#1"))])
    }

    #[test]
    fn a_cursor_only_opens_for_its_own_list_and_key() {
        let key = keys('7', None);
        let cursor = key.seal("orders/client/1", &position()).unwrap();
        assert_eq!(key.open("orders/client/1", &cursor).unwrap(), position());
        assert!(key.open("orders/client/2", &cursor).unwrap_err().is(&catalogue::INVALID_CURSOR));
        assert!(keys('8', None).open("orders/client/1", &cursor).is_err());
    }

    #[test]
    fn the_previous_key_opens_cursors_and_seals_none() {
        let (old, rolled) = (keys('7', None), keys('8', Some('7')));
        let cursor = old.seal("list", &position()).unwrap();
        assert_eq!(rolled.open("list", &cursor).unwrap(), position());
        let cursor = rolled.seal("list", &position()).unwrap();
        assert!(old.open("list", &cursor).is_err());
        assert!(keys('9', Some('8')).open("list", &cursor).is_ok());
        assert!(keys('9', Some('7')).open("list", &cursor).is_err());
    }

    #[test]
    fn a_short_secret_is_refused_without_being_quoted() {
        let text = SecretText { current: "canary".to_owned(), previous: None };
        assert_eq!(CursorKeys::parse(&text).err().unwrap(), "is shorter than 32 characters");
    }

    #[test]
    fn an_altered_or_forged_cursor_is_rejected() {
        let key = keys('7', None);
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
