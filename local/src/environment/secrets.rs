//! Resolves `{{resolve:secretsmanager:...}}` for the template's own secrets.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::model::Secret;
use crate::secrets::SecretStore;
use crate::template::UNKNOWN;

/// The start of a reference to a secret.
const REFERENCE: &str = "{{resolve:secretsmanager:";

/// Replaces the references in `text` to secrets whose value is known.
///
/// # Errors
/// When a reference is malformed, or when the secret has no such key.
pub(super) fn resolve(store: &SecretStore, secrets: &[Secret], text: &str) -> Result<String> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(REFERENCE) {
        let end = start
            + rest[start..]
                .find("}}")
                .with_context(|| format!("{text}: {UNKNOWN} without }}}}"))?;
        let reference = &rest[start + REFERENCE.len()..end];
        resolved.push_str(&rest[..start]);
        match value(store, secrets, reference)? {
            Some(value) => resolved.push_str(&value),
            None => resolved.push_str(&rest[start..end + 2]),
        }
        rest = &rest[end + 2..];
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// Returns the value of the reference `secret-id[:SecretString[:json-key[:version-stage]]]`. The id
/// may be an ARN, which contains colons itself.
fn value(store: &SecretStore, secrets: &[Secret], reference: &str) -> Result<Option<String>> {
    let named = |s: &&Secret| {
        let rest = reference.strip_prefix(&s.arn).or_else(|| reference.strip_prefix(&s.name));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let Some(secret) = secrets.iter().find(named) else {
        return Ok(None);
    };
    let Some(value) = store.current(&secret.name) else {
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
            "{REFERENCE}{reference}}}}}: the local cloud only resolves the current SecretString \
             of a secret"
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
