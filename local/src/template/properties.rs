//! Reads a map of the template key by key, and rejects the keys that no reader has taken.

use anyhow::{Context, Result, bail};
use yaml_serde::{Mapping, Value};

use super::scope::{Scope, UNKNOWN, intrinsic, scalar};
use super::yaml::below;

/// The message about a key that no reader takes.
pub(super) const UNSUPPORTED: &str = "the local cloud does not support this";

/// A map whose keys are taken one by one. [`Properties::finish`] rejects the keys that are left.
pub(super) struct Properties<'s> {
    scope: &'s Scope<'s>,
    path: String,
    entries: Mapping,
}

impl<'s> Properties<'s> {
    /// Wraps the map at `path`. The values in `value` are as written in the template. Intrinsics
    /// are evaluated when their key is taken.
    ///
    /// # Errors
    /// When `value` is neither a map nor null.
    pub(super) fn new(
        scope: &'s Scope<'s>,
        path: impl Into<String>,
        value: &Value,
    ) -> Result<Self> {
        let path = path.into();
        let value = if intrinsic(value).is_some() {
            scope.resolve(value, &path)?.unwrap_or_default()
        } else {
            value.clone()
        };
        match value {
            Value::Mapping(entries) => Ok(Self { scope, path, entries }),
            Value::Null => Ok(Self { scope, path, entries: Mapping::new() }),
            _ => bail!("{path}: must be a map"),
        }
    }

    /// Returns this map's place in the template.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the place of `key` in the template.
    pub(super) fn at(&self, key: &str) -> String {
        below(&self.path, key)
    }

    /// Returns the keys that are left, as written.
    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().filter_map(|k| k.as_str().map(str::to_owned)).collect()
    }

    /// Takes any value.
    ///
    /// # Errors
    /// When an intrinsic can't be evaluated.
    pub(super) fn value(&mut self, key: &str) -> Result<Option<Value>> {
        match self.entries.remove(key) {
            Some(value) => self.scope.resolve(&value, &self.at(key)),
            None => Ok(None),
        }
    }

    /// Takes a string that may hold a dynamic reference (`{{resolve:...}}`), whose value is known
    /// only once the stack is deployed.
    ///
    /// # Errors
    /// When the value is not a string.
    pub(super) fn reference(&mut self, key: &str) -> Result<Option<String>> {
        let value = self.value(key)?;
        value
            .map(|v| scalar(&v).with_context(|| format!("{}: must be a string", self.at(key))))
            .transpose()
    }

    /// Takes a string.
    ///
    /// # Errors
    /// When the value is not a string, or holds a dynamic reference.
    pub(super) fn string(&mut self, key: &str) -> Result<Option<String>> {
        let value = self.reference(key)?;
        if let Some(value) = value.as_ref().filter(|v| v.contains(UNKNOWN)) {
            bail!(
                "{}: {value} is not known before deployment, \
                 which the local cloud supports only in Environment",
                self.at(key)
            );
        }
        Ok(value)
    }

    /// Takes a string that must be present.
    ///
    /// # Errors
    /// When it is missing or not a string.
    pub(super) fn required(&mut self, key: &str) -> Result<String> {
        self.string(key)?.with_context(|| format!("{}: missing", self.at(key)))
    }

    /// Takes a number, a boolean or another type that can be parsed from text.
    ///
    /// # Errors
    /// When the value is not a `T`.
    pub(super) fn parsed<T: std::str::FromStr>(&mut self, key: &str) -> Result<Option<T>> {
        let Some(text) = self.string(key)? else {
            return Ok(None);
        };
        let value = text
            .parse()
            .ok()
            .with_context(|| format!("{}: {text} is not a valid value", self.at(key)))?;
        Ok(Some(value))
    }

    /// Takes a list of strings. A single string counts as a list of one.
    ///
    /// # Errors
    /// When an item is not a string.
    pub(super) fn strings(&mut self, key: &str) -> Result<Vec<String>> {
        let items = match self.value(key)? {
            None => return Ok(Vec::new()),
            Some(Value::Sequence(items)) => items,
            Some(single) => vec![single],
        };
        items
            .iter()
            .map(|i| {
                scalar(i).with_context(|| format!("{}: must be a list of strings", self.at(key)))
            })
            .collect()
    }

    /// Returns the value of `key` without taking it.
    ///
    /// # Errors
    /// When an intrinsic can't be evaluated.
    pub(super) fn peek(&self, key: &str) -> Result<Option<Value>> {
        self.entries.get(key).map_or(Ok(None), |value| self.scope.resolve(value, &self.at(key)))
    }

    /// Wraps a map that is nested in this one, at `path`.
    ///
    /// # Errors
    /// When `value` is neither a map nor null.
    pub(super) fn nested(&self, path: String, value: &Value) -> Result<Properties<'s>> {
        Self::new(self.scope, path, value)
    }

    /// Takes a map.
    ///
    /// # Errors
    /// When the value is not a map.
    pub(super) fn map(&mut self, key: &str) -> Result<Option<Properties<'s>>> {
        self.entries
            .remove(key)
            .map(|value| Self::new(self.scope, self.at(key), &value))
            .transpose()
    }

    /// Takes a list of maps. A single map counts as a list of one.
    ///
    /// # Errors
    /// When an item is not a map.
    pub(super) fn maps(&mut self, key: &str) -> Result<Vec<Properties<'s>>> {
        let path = self.at(key);
        let items = match self.entries.remove(key) {
            None => return Ok(Vec::new()),
            Some(call) if intrinsic(&call).is_some() => match self.scope.resolve(&call, &path)? {
                None => return Ok(Vec::new()),
                Some(Value::Sequence(items)) => items,
                Some(single) => vec![single],
            },
            Some(Value::Sequence(items)) => items,
            Some(single) => return Ok(vec![Self::new(self.scope, path, &single)?]),
        };
        items
            .iter()
            .enumerate()
            .map(|(i, item)| Self::new(self.scope, format!("{path}[{i}]"), item))
            .collect()
    }

    /// Takes a string that must be one of `allowed`, the only values that the local cloud supports.
    /// Any other value is rejected.
    ///
    /// # Errors
    /// When the value is not a string.
    pub(super) fn only(&mut self, key: &str, allowed: &[&str]) -> Result<()> {
        if let Some(value) = self.string(key)?
            && !allowed.contains(&value.as_str())
        {
            let allowed = allowed.join(" or ");
            self.reject(key, &format!("the local cloud supports only {allowed}, not {value}"));
        }
        Ok(())
    }

    /// Adds a message about `key` to the diagnostics, so that the template is rejected.
    pub(super) fn reject(&self, key: &str, message: &str) {
        self.scope.diagnostics.add(format!("{}: {message}", self.at(key)));
    }

    /// Takes `key` and rejects it if it is present. Returns whether it was.
    pub(super) fn reject_if_present(&mut self, key: &str) -> bool {
        let present = self.entries.remove(key).is_some();
        if present {
            self.reject(key, UNSUPPORTED);
        }
        present
    }

    /// Adds a note for the log: `key` is treated differently from AWS.
    pub(super) fn note(&self, key: &str, text: &str) {
        self.scope.notes.borrow_mut().push(format!("{}: {text}", self.at(key)));
    }

    /// Ignores keys that have no visible effect here. Each is paired with the reason.
    pub(super) fn without_effect(&mut self, keys: &[(&str, &str)]) {
        for (key, _reason) in keys {
            self.entries.remove(key);
        }
    }

    /// Refuses every key that has not been taken.
    pub(super) fn finish(self) {
        self.keys().iter().for_each(|key| self.reject(key, UNSUPPORTED));
    }
}

/// Converts an evaluated value to JSON.
///
/// # Errors
/// When JSON can't represent it.
pub(super) fn json(value: &Value, path: &str) -> Result<serde_json::Value> {
    serde_json::to_value(value).with_context(|| format!("{path}: not representable as JSON"))
}

#[cfg(test)]
mod tests;
