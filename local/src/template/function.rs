//! `AWS::Serverless::Function`.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::events::{PlacedRoute, read_events};
use super::model::Function;
use super::policy::read_policies;
use super::properties::Properties;
use super::scope::{ACCOUNT, REGION};

/// Properties that change nothing a program could see on one machine.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("Architectures", "the binaries are those of this machine"),
    ("Description", "shown in the console"),
    ("KmsKeyArn", "encrypts the environment at rest"),
    ("LoggingConfig", "the local log has one format, and keeps every level"),
    ("PropagateTags", "tags are for the bill"),
    ("RuntimeManagementConfig", "there is one runtime, the binary itself"),
    ("Tags", "tags are for the bill"),
    ("Tracing", "X-Ray only records"),
];

/// Reads a function, and the routes that lead to it.
pub(super) fn read_function(
    logical_id: &str,
    mut properties: Properties<'_>,
) -> Result<(Function, Vec<PlacedRoute>)> {
    let code = properties.required("CodeUri")?;
    let name = code.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    ensure!(
        !name.is_empty(),
        "{}: {code} does not end in the name of a binary",
        properties.at("CodeUri")
    );
    properties.only("PackageType", &["Zip"])?;
    let runtime = properties.required("Runtime")?;
    ensure!(
        runtime.starts_with("provided."),
        "{}: the local cloud does only provided.*, not {runtime}",
        properties.at("Runtime")
    );
    let handler = properties.string("Handler")?.unwrap_or_else(|| "bootstrap".into());
    let function_name = properties.string("FunctionName")?.unwrap_or_else(|| logical_id.to_owned());
    let timeout = within(&mut properties, "Timeout", 3, 1..=900)?;
    let memory_mb = within(&mut properties, "MemorySize", 128, 128..=10_240)?;
    let reserved_concurrency = properties.parsed("ReservedConcurrentExecutions")?;
    let environment = match properties.map("Environment")? {
        Some(mut environment) => {
            let variables = environment.map("Variables")?;
            environment.finish()?;
            variables.map(read_variables).transpose()?.unwrap_or_default()
        }
        None => BTreeMap::new(),
    };
    let policy = read_policies(&mut properties)?;
    let events = read_events(&name, &mut properties)?;
    properties.without_effect(WITHOUT_EFFECT);
    properties.finish()?;
    let function = Function {
        arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"),
        logical_id: logical_id.to_owned(),
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
