//! The environment of each function: the template's variables, with this machine's values, and the
//! variables that Lambda sets.
//!
//! The rules are those of `sam local --env-vars`: `local.env` (the project's, committed) and `.env`
//! (the developer's) replace the values of variables that the template gives to a function, and
//! never add variables. Values of variables that `[workspace.metadata.local.secrets]` names become
//! the template's secrets. Functions do not inherit the environment of the local cloud, except for
//! the names in `local.env`. For one run, `--env NAME=VALUE` takes precedence over all of these.

mod file;
mod overrides;
mod secrets;
mod services;

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;

pub(crate) use self::overrides::{Overrides, Stripe};
pub(crate) use self::services::{Aws, Services};
use crate::model::{Function, Project};
use crate::secrets::SecretStore;
use crate::settings::SecretSetting;
use crate::template::{REGION, UNKNOWN};

/// Returns the variables that the template gives to each function, with this machine's values.
///
/// # Errors
/// When variables have no value here (the message lists all of them with their functions), or when
/// an override or a secret is malformed.
pub(crate) fn variables(
    project: &Project,
    overrides: &Overrides,
    secrets: &SecretStore,
    services: &Services,
) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut environments = BTreeMap::new();
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for function in &project.functions {
        let mut environment = BTreeMap::new();
        for (name, value) in &function.environment {
            let value = match overrides.value(name, services)? {
                Some(value) => value,
                None => {
                    let value = secrets::resolve(secrets, &project.secrets, value)?;
                    with_local_addresses(value, project, services)
                }
            };
            if value.contains(UNKNOWN) {
                missing.entry(name).or_default().push(&function.name);
            }
            environment.insert(name.clone(), value);
        }
        environments.insert(function.name.clone(), environment);
    }
    all_have_values(&missing)?;
    Ok(environments)
}

/// Returns the values that `[workspace.metadata.local.secrets]` gives to secrets, by their names.
///
/// # Errors
/// When a setting names a secret that the template does not have, or a variable that has no value
/// here.
pub(crate) fn secret_values(
    project: &Project,
    settings: &BTreeMap<String, SecretSetting>,
    overrides: &Overrides,
    services: &Services,
) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (secret, setting) in settings {
        if !project.secrets.iter().any(|s| s.name == *secret) {
            bail!("{secret} in [workspace.metadata.local.secrets] is not a secret of the template");
        }
        let mut value = |variable| match overrides.value(variable, services) {
            Ok(None) => {
                missing.entry(variable).or_default().push(secret);
                Ok(String::new())
            }
            value => value.map(Option::unwrap_or_default),
        };
        let text = match setting {
            SecretSetting::Text(variable) => value(variable)?,
            SecretSetting::Object(members) => {
                let members = members.iter().map(|(member, variable)| {
                    Ok((member.clone(), Value::String(value(variable)?)))
                });
                Value::Object(members.collect::<Result<_>>()?).to_string()
            }
        };
        values.insert(secret.clone(), text);
    }
    all_have_values(&missing)?;
    Ok(values)
}

/// Fails if variables have no value. `missing` has what needs each of them.
fn all_have_values(missing: &BTreeMap<&str, Vec<&str>>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<String> = missing
        .iter()
        .map(|(name, needed_by)| format!("{name} (for {})", needed_by.join(", ")))
        .collect();
    bail!(
        "these variables have no value here: {}; give them values in local.env or .env",
        missing.join(", ")
    );
}

/// Replaces the addresses that the project's APIs have on AWS
/// (`https://<api>.execute-api.<region>.amazonaws.com`) with those of this run.
fn with_local_addresses(value: String, project: &Project, services: &Services) -> String {
    let host = |api_id: &str| format!("{api_id}.execute-api.{REGION}.amazonaws.com");
    let mut value = value;
    if let Some(api) = &project.http_api {
        value = value.replace(&format!("https://{}", host(&api.api_id)), &services.http);
    }
    if let Some(api) = &project.websocket_api {
        let host = host(&api.api_id);
        value = value.replace(&format!("wss://{host}"), &services.ws);
        // `@connections`, which the Invoke API's port serves.
        value = value.replace(&format!("https://{host}"), &services.invoke);
    }
    value
}

/// Returns the variables that Lambda sets.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub(crate) fn lambda(
    function: &Function,
    access_key_id: String,
    services: &Services,
) -> BTreeMap<String, String> {
    let name = &function.function_name;
    let mut environment: BTreeMap<String, String> = [
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("_HANDLER", function.handler.clone()),
        ("LANG", "en_US.UTF-8".into()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".into()),
        ("TZ", ":UTC".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    environment.extend(aws(access_key_id, services));
    environment
}

/// Returns the variables with the addresses of AWS services, the region and the credentials.
pub(crate) fn aws(access_key_id: String, services: &Services) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::from(
        ["AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_SECRETS_MANAGER"]
            .map(|name| (name.to_owned(), services.invoke.clone())),
    );
    let region = match &services.aws {
        Some(aws) => {
            environment.extend(aws.credentials.clone());
            &aws.region
        }
        None => {
            environment.insert("AWS_ENDPOINT_URL_DYNAMODB".into(), services.dynamodb.clone());
            environment.insert("AWS_ACCESS_KEY_ID".into(), access_key_id);
            // Nothing here checks a signature.
            environment.insert("AWS_SECRET_ACCESS_KEY".into(), "local".into());
            environment.insert("AWS_SESSION_TOKEN".into(), "local".into());
            REGION
        }
    };
    environment.insert("AWS_REGION".into(), region.to_owned());
    environment.insert("AWS_DEFAULT_REGION".into(), region.to_owned());
    environment
}

#[cfg(test)]
mod tests;
