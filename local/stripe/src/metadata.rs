//! Metadata: <https://docs.stripe.com/api/metadata>.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::params::{Node, Params};

/// A change to an object's metadata. An empty value removes its key, and an empty `metadata`
/// removes all keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct MetadataChange {
    clear: bool,
    entries: BTreeMap<String, String>,
}

impl MetadataChange {
    /// Applies the change.
    pub(crate) fn apply_to(self, metadata: &mut BTreeMap<String, String>) {
        if self.clear {
            metadata.clear();
        }
        for (key, value) in self.entries {
            if value.is_empty() {
                metadata.remove(&key);
            } else {
                metadata.insert(key, value);
            }
        }
    }
}

impl Params {
    /// Takes the parameter `metadata`. Stripe's limits are 50 keys, 40 characters for each key and
    /// 500 for each value (<https://docs.stripe.com/api/metadata>).
    ///
    /// # Errors
    /// 400 when a limit is exceeded, or `metadata` or one of its values has the wrong type.
    pub(crate) fn metadata(&mut self) -> Result<MetadataChange, Error> {
        let branch = match self.nodes.remove("metadata") {
            None => return Ok(MetadataChange::default()),
            Some(Node::Text(text)) if text.is_empty() => {
                return Ok(MetadataChange { clear: true, ..MetadataChange::default() });
            }
            Some(Node::Text(_)) => return Err(Error::parameter("metadata", "Invalid object")),
            Some(Node::Branch(branch)) => branch,
        };
        if branch.len() > 50 {
            return Err(Error::parameter("metadata", "Metadata can have at most 50 keys."));
        }
        let mut entries = BTreeMap::new();
        for (key, node) in branch {
            let name = format!("metadata[{key}]");
            let Node::Text(value) = node else {
                return Err(Error::parameter(name, "Metadata values must be strings."));
            };
            if key.chars().count() > 40 {
                return Err(Error::parameter(
                    name,
                    "Metadata keys can have at most 40 characters.",
                ));
            }
            if value.chars().count() > 500 {
                return Err(Error::parameter(
                    name,
                    "Metadata values can have at most 500 characters.",
                ));
            }
            entries.insert(key, value);
        }
        Ok(MetadataChange { clear: false, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(encoded: &str) -> Params {
        Params::parse(encoded.as_bytes()).unwrap()
    }

    #[test]
    fn metadata_is_merged_and_empty_values_remove_their_keys() {
        let mut metadata =
            BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        params("metadata[a]=&metadata[c]=3").metadata().unwrap().apply_to(&mut metadata);
        assert_eq!(
            metadata,
            BTreeMap::from([("b".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())])
        );
        params("metadata=").metadata().unwrap().apply_to(&mut metadata);
        assert!(metadata.is_empty());
    }
}
