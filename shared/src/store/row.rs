//! Maps entities to DynamoDB items and back. All entities share one layout:
//!
//! ```text
//! pk, sk          the primary key (`keys`)
//! entity          the kind of entity, such as "order"
//! schema          the version of the entity's shape; older shapes are upgraded on read
//! version         for optimistic locking
//! doc             the entity as lists show it; the only part that indexes contain
//! history, ...    the large parts that lists don't show (Entity::UNPROJECTED_FIELDS)
//! gsi1pk, ...     sparse index keys
//! expires_at      TTL, in epoch seconds
//! traceparent     the trace of the invocation that wrote it, for functions that read the stream
//! ```

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::index::Index;
use crate::error::{Error, Result};
use crate::telemetry;

/// A DynamoDB item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    /// Creates a key. Only the module `keys` calls this, so that all key strings are in one place.
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(crate) fn into_item(self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk)),
            ("sk".to_owned(), AttributeValue::S(self.sk)),
        ])
    }

    /// Whether this item has this key.
    pub(crate) fn is_key_of(&self, item: &Item) -> bool {
        let is = |name: &str, value: &str| {
            item.get(name).and_then(|v| v.as_s().ok()).is_some_and(|v| v == value)
        };
        is("pk", &self.pk) && is("sk", &self.sk)
    }
}

/// A type that is stored as one item.
pub trait Entity: Serialize + DeserializeOwned {
    /// The item's `entity` attribute.
    const ENTITY: &'static str;
    /// The version of the item's shape. Increase it with every change of shape that
    /// [`Entity::upgrade`] has to handle.
    const SCHEMA: u32 = 1;
    /// Fields that are stored beside `doc`, so that no index projects them.
    const UNPROJECTED_FIELDS: &'static [&'static str] = &[];

    /// The primary key.
    fn key(&self) -> Key;

    /// The indexes that contain it, with its key in each.
    fn indexes(&self) -> Vec<(Index, Key)> {
        Vec::new()
    }

    /// Grows by one with each change. API responses show it as `ETag`.
    fn version(&self) -> u64 {
        1
    }

    /// When DynamoDB may delete it. TTL can be days late, so reads must check the time themselves.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    /// Converts the `doc` of an older schema version to the current one.
    fn upgrade(_schema: u32, doc: Item) -> Item {
        doc
    }
}

/// Converts an entity to its item.
pub(crate) fn to_item<T: Entity>(entity: &T) -> Result<Item> {
    let mut doc: Item = serde_dynamo::to_item(entity).map_err(Error::internal)?;
    let mut item = entity.key().into_item();
    for &field in T::UNPROJECTED_FIELDS {
        if let Some(value) = doc.remove(field) {
            item.insert(field.to_owned(), value);
        }
    }
    item.insert("entity".to_owned(), AttributeValue::S(T::ENTITY.to_owned()));
    item.insert("schema".to_owned(), AttributeValue::N(T::SCHEMA.to_string()));
    item.insert("version".to_owned(), AttributeValue::N(entity.version().to_string()));
    item.insert("doc".to_owned(), AttributeValue::M(doc));
    for (index, key) in entity.indexes() {
        let (pk, sk) = index.attributes();
        item.insert(pk.to_owned(), AttributeValue::S(key.pk));
        item.insert(sk.to_owned(), AttributeValue::S(key.sk));
    }
    if let Some(traceparent) = telemetry::traceparent() {
        item.insert("traceparent".to_owned(), AttributeValue::S(traceparent));
    }
    if let Some(at) = entity.expires_at() {
        item.insert("expires_at".to_owned(), AttributeValue::N(at.as_second().to_string()));
    }
    Ok(item)
}

/// Reads the entity in a stream record's image.
///
/// # Errors
/// An internal error that names the item's key if the image is not a `T`.
pub fn from_image<T: Entity>(image: serde_dynamo::Item) -> Result<T> {
    from_item(image.into())
}

/// Removes the item with this key from a batch read's result and returns it.
pub(crate) fn take_item<T: Entity>(found: &mut Vec<Item>, key: &Key) -> Result<Option<T>> {
    let at = found.iter().position(|item| key.is_key_of(item));
    at.map(|at| from_item(found.swap_remove(at))).transpose()
}

/// Reads an entity from its item. If the item is not a `T`, returns an internal error that names
/// the item's key.
pub(crate) fn from_item<T: Entity>(mut item: Item) -> Result<T> {
    let describe = |item: &Item| format!("{:?} {:?}", item.get("pk"), item.get("sk"));
    let invalid =
        |item: &Item, problem: &str| Error::internal(format!("item {}: {problem}", describe(item)));
    if item.get("entity").and_then(|v| v.as_s().ok()).is_none_or(|e| e != T::ENTITY) {
        return Err(invalid(&item, &format!("is not a {}", T::ENTITY)));
    }
    let schema =
        item.get("schema").and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or(0);
    let Some(AttributeValue::M(doc)) = item.remove("doc") else {
        return Err(invalid(&item, "has no doc"));
    };
    let mut doc = if schema == T::SCHEMA { doc } else { T::upgrade(schema, doc) };
    for &field in T::UNPROJECTED_FIELDS {
        if let Some(value) = item.remove(field) {
            doc.insert(field.to_owned(), value);
        }
    }
    serde_dynamo::from_item(doc).map_err(|e| invalid(&item, &e.to_string()))
}

/// Creates a string attribute.
pub(crate) fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Creates a number attribute.
pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
