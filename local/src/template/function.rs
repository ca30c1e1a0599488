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

/// Properties that change nothing a program could see on one machine.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("Architectures", "the binaries are those of this machine"),
    ("AutoPublishAlias", "there are no versions here"),
    ("DeploymentPreference", "there is nothing to shift traffic between"),
    ("Description", "shown in the console"),
    ("EphemeralStorage", "the temporary folder is this machine's"),
    ("KmsKeyArn", "encrypts the environment at rest"),
    ("LoggingConfig", "the local log has one format, and keeps every level"),
    ("ProvisionedConcurrencyConfig", "instances are kept warm here"),
    ("PropagateTags", "tags are for the bill"),
    ("RuntimeManagementConfig", "there is one runtime, the binary itself"),
    ("Tags", "tags are for the bill"),
    ("Tracing", "X-Ray only records"),
];

/// Reads a function called `name`, and the routes that lead to it.
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
        properties.refuse("Runtime", &text);
    }
    let handler = properties.string("Handler")?.unwrap_or_else(|| "bootstrap".into());
    let function_name = properties.string("FunctionName")?.unwrap_or_else(|| logical_id.to_owned());
    let timeout = within(&mut properties, "Timeout", 3, 1..=900)?;
    let memory_mb = within(&mut properties, "MemorySize", 128, 128..=10_240)?;
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

/// The binaries' names that the template gives, by the logical id of their function.
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

fn within(
    properties: &mut Properties<'_>,
    key: &str,
    default: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32> {
    let value = properties.parsed(key)?.unwrap_or(default);
    ensure!(
        range.contains(&value),
        "{}: {value} is not within {} and {}",
        properties.at(key),
        range.start(),
        range.end()
    );
    Ok(value)
}

fn read_variables(mut variables: Properties<'_>) -> Result<BTreeMap<String, String>> {
    let mut read = BTreeMap::new();
    for name in variables.keys() {
        // <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>: what Lambda sets cannot be given.
        if name.starts_with("AWS_") || name == "_HANDLER" || name == "LAMBDA_TASK_ROOT" {
            bail!("{}: the name is reserved by Lambda", variables.at(&name));
        }
        let value = variables
            .reference(&name)?
            .with_context(|| format!("{}: has no value", variables.at(&name)));
        read.insert(name, value?);
    }
    Ok(read)
}
