//! The versions of each secret, stored in the data directory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::password::password;
use crate::model::{Secret, SecretValue};

/// All secrets of a run.
#[derive(Debug, Clone)]
pub(crate) struct SecretStore {
    file: Option<PathBuf>,
    secrets: Arc<Mutex<BTreeMap<String, StoredSecret>>>,
}

/// A secret and its versions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct StoredSecret {
    /// Its ARN.
    pub(super) arn: String,
    /// The value from `local.env` or the template that became a version, so that only another
    /// value replaces what a developer has put since.
    seed: Option<String>,
    /// The version with the staging label `AWSCURRENT`.
    pub(super) current: Option<Version>,
    /// The version with the staging label `AWSPREVIOUS`.
    pub(super) previous: Option<Version>,
}

/// A version of a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Version {
    /// `VersionId`.
    pub(super) id: String,
    /// `SecretString`.
    pub(super) text: String,
    /// When it was created, in seconds since the Unix epoch.
    pub(super) created: f64,
}

impl SecretStore {
    /// Reads the secrets of earlier runs from `file`, and gives each of the template's secrets a
    /// value: the one in `values`, by the secret's name, or else what the template says. Without a
    /// file, nothing outlives the run.
    ///
    /// # Errors
    /// When the file can't be read, is not JSON, or can't be written.
    pub(crate) fn open(
        file: Option<PathBuf>,
        secrets: &[Secret],
        values: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let stored = match file.as_ref().map(|f| (f, std::fs::read(f))) {
            None => BTreeMap::new(),
            Some((_, Err(error))) if error.kind() == std::io::ErrorKind::NotFound => {
                BTreeMap::new()
            }
            Some((file, read)) => {
                let text = read.with_context(|| format!("cannot read {}", file.display()))?;
                serde_json::from_slice(&text)
                    .with_context(|| format!("{} is not usable", file.display()))?
            }
        };
        let store = Self { file, secrets: Arc::new(Mutex::new(stored)) };
        let mut stored = store.lock();
        for secret in secrets {
            let entry = stored.entry(secret.name.clone()).or_default();
            entry.arn.clone_from(&secret.arn);
            let value = match (values.get(&secret.name), &secret.value) {
                (Some(value), _) | (None, SecretValue::Given(value)) => Some(value.clone()),
                (None, SecretValue::Generated { .. }) if entry.current.is_some() => None,
                (None, SecretValue::Generated { length, classes, object }) => {
                    Some(generate(*length, classes, object.as_ref())?)
                }
                (None, SecretValue::Unset) => None,
            };
            if let Some(value) = value.filter(|value| entry.seed.as_ref() != Some(value)) {
                entry.put(Uuid::now_v7().to_string(), value.clone());
                entry.seed = Some(value);
            }
        }
        store.save(&stored)?;
        drop(stored);
        Ok(store)
    }

    /// Returns the current value of the secret with this name or ARN, or `None` if there is no such
    /// secret or it has no value.
    pub(crate) fn current(&self, id: &str) -> Option<String> {
        let (_, secret) = self.find(id)?;
        secret.current.map(|version| version.text)
    }

    /// Returns the name and the versions of the secret with this name, ARN, or ARN without its
    /// random ending.
    pub(super) fn find(&self, id: &str) -> Option<(String, StoredSecret)> {
        let stored = self.lock();
        let mut secrets = stored.iter();
        let found = secrets.find(|(name, secret)| {
            *name == id
                || secret.arn == id
                || secret.arn.rsplit_once('-').is_some_and(|(arn, _)| arn == id)
        });
        found.map(|(name, secret)| (name.clone(), secret.clone()))
    }

    /// Creates a secret, with a value if one is given. Returns `false` if the name is taken.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn create(
        &self,
        name: &str,
        arn: &str,
        first: Option<(String, String)>,
    ) -> Result<bool> {
        let mut stored = self.lock();
        if stored.contains_key(name) {
            return Ok(false);
        }
        let mut secret = StoredSecret { arn: arn.to_owned(), ..StoredSecret::default() };
        if let Some((id, text)) = first {
            secret.put(id, text);
        }
        stored.insert(name.to_owned(), secret);
        self.save(&stored)?;
        Ok(true)
    }

    /// Makes `text` the current value of a secret, and the current value the previous one.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn put(&self, name: &str, id: String, text: String) -> Result<()> {
        let mut stored = self.lock();
        if let Some(secret) = stored.get_mut(name) {
            secret.put(id, text);
        }
        self.save(&stored)
    }

    fn save(&self, secrets: &BTreeMap<String, StoredSecret>) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        std::fs::write(file, serde_json::to_vec_pretty(secrets)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, StoredSecret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoredSecret {
    fn put(&mut self, id: String, text: String) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let created = now.unwrap_or_default().as_secs_f64();
        let replaced = self.current.replace(Version { id, text, created });
        self.previous = replaced.or(self.previous.take());
    }
}

/// Returns a new value for `GenerateSecretString`.
fn generate(
    length: usize,
    classes: &[String],
    object: Option<&(serde_json::Map<String, serde_json::Value>, String)>,
) -> Result<String> {
    let password = password(length, classes)?;
    Ok(match object {
        Some((object, key)) => {
            let mut object = object.clone();
            object.insert(key.clone(), password.into());
            serde_json::Value::Object(object).to_string()
        }
        None => password,
    })
}
