//! `AWS::Serverless::Function`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::events::{PlacedRoute, read_events};
use super::model::Function;
use super::policy::read_policies;
use super::properties::Properties;
use super::scope::{ACCOUNT, REGION, Scope};

/// Properties without an effect that a function could see on one machine, each with the reason.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("Architectures", "binaries are built for this machine"),
    ("AutoPublishAlias", "there are no versions here"),
    ("DeploymentPreference", "there is nothing to shift traffic between"),
    ("Description", "shown in the console"),
    ("EphemeralStorage", "functions use this machine's temporary directory"),
    ("KmsKeyArn", "encrypts the environment at rest"),
    ("LoggingConfig", "the local log has one format and keeps every level"),
    ("ProvisionedConcurrencyConfig", "instances are kept warm here"),
    ("PropagateTags", "tags are for billing"),
    ("RuntimeManagementConfig", "the binary contains its runtime"),
    ("Tags", "tags are for billing"),
    ("Tracing", "X-Ray only records"),
];

/// Reads the function `name` and the HTTP routes that invoke it.
///
/// # Errors
/// When a property is missing, malformed or outside Lambda's limits.
pub(super) fn read_function(
    logical_id: &str,
    name: String,
    binary: Option<String>,
    mut properties: Properties<'_>,
) -> Result<(Function, Vec<PlacedRoute>)> {
    let code_uri = properties.required("CodeUri")?;
    properties.only("PackageType", &["Zip"])?;
    let runtime = properties.required("Runtime")?;
    if !runtime.starts_with("provided.") {
        let text = format!("the local cloud supports only provided.*, not {runtime}");
        properties.reject("Runtime", &text);
    }
    let handler = properties.string("Handler")?.unwrap_or_else(|| "bootstrap".into());
    let function_name = properties.string("FunctionName")?.unwrap_or_else(|| logical_id.to_owned());
    let timeout = in_range(&mut properties, "Timeout", 3, 1..=900)?;
    let memory_mb = in_range(&mut properties, "MemorySize", 128, 128..=10_240)?;
    let reserved_concurrency = properties.parsed("ReservedConcurrentExecutions")?;
    let environment = match properties.map("Environment")? {
        Some(mut environment) => {
            let variables = environment.map("Variables")?;
            environment.finish();
            variables.map(read_variables).transpose()?.unwrap_or_default()
        }
        None => BTreeMap::new(),
    };
    let policy = read_policies(&mut properties)?;
    let events = read_events(&name, &mut properties)?;
    properties.without_effect(WITHOUT_EFFECT);
    properties.finish();
    let function = Function {
        arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"),
        logical_id: logical_id.to_owned(),
        code_uri,
        binary,
        timeout: Duration::from_secs(u64::from(timeout)),
        name,
        function_name,
        handler,
        environment,
        memory_mb,
        reserved_concurrency,
        policy,
        streams: events.streams,
        schedules: events.schedules,
    };
    Ok((function, events.routes))
}

/// Returns the name of each function's binary, by the function's logical id. Functions for which
/// the template names no binary are left out.
///
/// # Errors
/// When a condition, a `CodeUri` or a binary's name can't be evaluated.
pub(super) fn binaries(scope: &Scope<'_>) -> Result<BTreeMap<String, String>> {
    let mut binaries = BTreeMap::new();
    for (logical_id, resource) in scope.resources {
        let logical_id = logical_id.as_str().unwrap_or_default();
        let path = format!("Resources.{logical_id}");
        let condition = resource.get("Condition").and_then(Value::as_str);
        if resource.get("Type").and_then(Value::as_str) != Some("AWS::Serverless::Function")
            || !condition.map_or(Ok(true), |name| scope.condition(name, &path))?
        {
            continue;
        }
        if let Some(binary) = binary(scope, resource, &path)? {
            binaries.insert(logical_id.to_owned(), binary);
        }
    }
    Ok(binaries)
}

fn binary(scope: &Scope<'_>, resource: &Value, path: &str) -> Result<Option<String>> {
    let at = |keys: &[&str]| keys.iter().try_fold(resource, |value, key| value.get(key));
    if let Some(binary) = at(&["Metadata", "BuildProperties", "Binary"]) {
        let path = format!("{path}.Metadata.BuildProperties.Binary");
        return scope.resolve_string(binary, &path).map(Some);
    }
    let Some(code_uri) = at(&["Properties", "CodeUri"]) else { return Ok(None) };
    let code_uri = scope.resolve_string(code_uri, &format!("{path}.Properties.CodeUri"))?;
    let last = Path::new(&code_uri).file_name().and_then(OsStr::to_str);
    Ok(last.map(str::to_owned))
}

fn in_range(
    properties: &mut Properties<'_>,
    key: &str,
    default: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32> {
    let value = properties.parsed(key)?.unwrap_or(default);
    ensure!(
        range.contains(&value),
        "{}: {value} is not between {} and {}",
        properties.at(key),
        range.start(),
        range.end()
    );
    Ok(value)
}

fn read_variables(mut variables: Properties<'_>) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for name in variables.keys() {
        // Lambda sets these variables itself.
        // <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
        if name.starts_with("AWS_") || name == "_HANDLER" || name == "LAMBDA_TASK_ROOT" {
            bail!("{}: the name is reserved by Lambda", variables.at(&name));
        }
        let value = variables
            .reference(&name)?
            .with_context(|| format!("{}: has no value", variables.at(&name)));
        values.insert(name, value?);
    }
    Ok(values)
}
