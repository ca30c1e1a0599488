//! Resolves `{{resolve:secretsmanager:...}}` for the template's own secrets.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;

use crate::model::{Secret, SecretValue};
use crate::template::UNKNOWN;

/// The start of a reference to a secret.
const REFERENCE: &str = "{{resolve:secretsmanager:";

/// The generated values of secrets, which stay the same from run to run.
#[derive(Debug)]
pub(crate) struct Secrets {
    file: Option<PathBuf>,
    generated: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads the values of earlier runs from `file`. Without a file, each run generates new ones.
    ///
    /// # Errors
    /// When the file can't be read or is not JSON.
    pub(crate) fn open(file: Option<PathBuf>) -> Result<Self> {
        let generated = match file.as_ref().map(|f| (f, std::fs::read(f))) {
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
        Ok(Self { file, generated })
    }

    /// Replaces the references in `text` to secrets whose value is known.
    ///
    /// # Errors
    /// When a reference is malformed, when the secret has no such key, or when a new value can't be
    /// generated or stored.
    pub(super) fn resolve(&mut self, secrets: &[Secret], text: &str) -> Result<String> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(REFERENCE) {
            let end = start
                + rest[start..]
                    .find("}}")
                    .with_context(|| format!("{text}: {UNKNOWN} without }}}}"))?;
            let reference = &rest[start + REFERENCE.len()..end];
            resolved.push_str(&rest[..start]);
            match self.value(secrets, reference)? {
                Some(value) => resolved.push_str(&value),
                None => resolved.push_str(&rest[start..end + 2]),
            }
            rest = &rest[end + 2..];
        }
        resolved.push_str(rest);
        Ok(resolved)
    }

    /// Returns the value of the reference `secret-id[:SecretString[:json-key[:version-stage]]]`.
    /// The id may be an ARN, which contains colons itself.
    fn value(&mut self, secrets: &[Secret], reference: &str) -> Result<Option<String>> {
        let named = |s: &&Secret| {
            let rest = reference.strip_prefix(&s.arn).or_else(|| reference.strip_prefix(&s.name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        let Some(secret) = secrets.iter().find(named) else {
            return Ok(None);
        };
        let Some(value) = self.current(secret)? else {
            return Ok(None);
        };
        let rest = reference
            .strip_prefix(&secret.arn)
            .or_else(|| reference.strip_prefix(&secret.name))
            .unwrap_or_default();
        let parts: Vec<&str> = rest.split(':').skip(1).collect();
        let key = match parts.as_slice() {
            []
            | ["SecretString" | ""]
            | ["SecretString" | "", ""]
            | ["SecretString" | "", "", "AWSCURRENT"] => {
                return Ok(Some(value));
            }
            ["SecretString" | "", key] | ["SecretString" | "", key, "AWSCURRENT"] => *key,
            _ => bail!(
                "{REFERENCE}{reference}}}}}: the local cloud only has the current SecretString of a \
                 secret"
            ),
        };
        let object: Value = serde_json::from_str(&value)
            .with_context(|| format!("the secret {} is not JSON", secret.name))?;
        match object.get(key) {
            Some(Value::String(value)) => Ok(Some(value.clone())),
            Some(other) => Ok(Some(other.to_string())),
            None => bail!("the secret {} has no key {key}", secret.name),
        }
    }

    fn current(&mut self, secret: &Secret) -> Result<Option<String>> {
        let (length, classes, object) = match &secret.value {
            SecretValue::Given(value) => return Ok(Some(value.clone())),
            SecretValue::Unset => return Ok(None),
            SecretValue::Generated { length, classes, object } => (*length, classes, object),
        };
        if let Some(value) = self.generated.get(&secret.name) {
            return Ok(Some(value.clone()));
        }
        let password = password(length, classes)?;
        let value = match object {
            Some((object, key)) => {
                let mut object = object.clone();
                object.insert(key.clone(), password.into());
                Value::Object(object).to_string()
            }
            None => password,
        };
        self.generated.insert(secret.name.clone(), value.clone());
        if let Some(file) = &self.file {
            std::fs::write(file, serde_json::to_vec_pretty(&self.generated)?)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(Some(value))
    }
}

/// Returns random characters, at least one of each class.
fn password(length: usize, classes: &[String]) -> Result<String> {
    ensure!(
        length >= classes.len(),
        "a password of {length} characters can't have one of each of {} classes",
        classes.len()
    );
    let alphabet: Vec<char> = classes.iter().flat_map(|c| c.chars()).collect();
    let random = SystemRandom::new();
    loop {
        let mut password = String::with_capacity(length);
        while password.len() < length {
            let mut byte = [0];
            random
                .fill(&mut byte)
                .map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
            // Without this check, some characters would be more likely than others.
            if usize::from(byte[0]) < 256 - 256 % alphabet.len() {
                password.push(alphabet[usize::from(byte[0]) % alphabet.len()]);
            }
        }
        if classes.iter().all(|class| class.chars().any(|c| password.contains(c))) {
            return Ok(password);
        }
    }
}
