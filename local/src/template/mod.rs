//! Reads a SAM template into the [`model`] of what the local cloud has to provide.
//!
//! What the template asks for and the local cloud does not do is refused by name, with its place in
//! the template. What has no effect that could be seen on one machine is listed, with the reason,
//! beside the reader it concerns.

mod api;
mod attributes;
mod conditions;
mod events;
mod function;
mod globals;
pub(crate) mod model;
mod parameters;
mod policy;
mod properties;
mod scope;
mod storage;
#[cfg(test)]
mod tests;
mod yaml;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::{Mapping, Value};

pub(crate) use self::scope::{REGION, UNKNOWN};

use self::events::PlacedRoute;
use self::model::{HttpApi, Project};
use self::properties::Properties;
use self::scope::Scope;

/// What a deployment would be told beside the template.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployment {
    /// `AWS::StackName`.
    pub(crate) stack_name: String,
    /// Values of parameters, instead of their defaults.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Sections of a template that say nothing about what is to be provided.
const SECTIONS_WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("AWSTemplateFormatVersion", "there is one"),
    ("Description", "for people"),
    ("Metadata", "for tools"),
    ("Outputs", "printed after a deployment"),
];

/// Resource types without anything to provide.
const RESOURCES_WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("AWS::Logs::LogGroup", "there is one local log, of everything"),
    ("AWS::CloudWatch::Alarm", "there are no metrics to watch"),
];

/// Attributes of a resource that matter to a deployment only.
const ATTRIBUTES_WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("Condition", "evaluated before the resource is read"),
    ("DeletionPolicy", "no stack is deleted here"),
    ("DependsOn", "everything is there before anything runs"),
    ("Metadata", "for tools"),
    ("UpdateReplacePolicy", "no stack is updated here"),
];

/// Reads the template at `path`.
///
/// # Errors
/// One sentence naming the file, the place in it and what is wrong.
pub(crate) fn load(path: &Path, deployment: &Deployment) -> Result<Project> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the template {}", path.display()))?;
    read(&text, deployment)
        .with_context(|| format!("the template {} is not usable", path.display()))
}

fn read(text: &str, deployment: &Deployment) -> Result<Project> {
    let mut template = yaml::parse(text)?;
    for (section, _reason) in SECTIONS_WITHOUT_EFFECT {
        template.remove(section);
    }
    match template.remove("Transform") {
        None => {}
        Some(Value::String(transform)) if transform == "AWS::Serverless-2016-10-31" => {}
        Some(_) => bail!("Transform: the local cloud does only AWS::Serverless-2016-10-31"),
    }
    let parameters =
        parameters::values(&section(&mut template, "Parameters")?, &deployment.parameters)?;
    let mappings = section(&mut template, "Mappings")?;
    let conditions = section(&mut template, "Conditions")?;
    let globals = section(&mut template, "Globals")?;
    let mut resources = section(&mut template, "Resources")?;
    if let Some(other) = template.keys().next().and_then(Value::as_str) {
        bail!("{other}: the local cloud does not do this");
    }
    ensure!(!resources.is_empty(), "Resources: missing");
    globals::apply(&globals, &mut resources)?;
    let stack_name = deployment.stack_name.clone();
    let scope = Scope {
        stack_name,
        parameters,
        mappings,
        conditions,
        resources: &resources,
        naming: Cell::new(0),
    };
    read_resources(&scope)
}

fn section(template: &mut Mapping, name: &str) -> Result<Mapping> {
    match template.remove(name) {
        None | Some(Value::Null) => Ok(Mapping::new()),
        Some(Value::Mapping(section)) => Ok(section),
        Some(_) => bail!("{name}: must be a map"),
    }
}

fn read_resources(scope: &Scope<'_>) -> Result<Project> {
    let mut project = Project::default();
    let mut routes = Vec::new();
    let mut websocket_api = None;
    let binaries = function::binaries(scope)?;
    for (logical_id, resource) in scope.resources {
        let logical_id = logical_id.as_str().unwrap_or_default();
        let path = format!("Resources.{logical_id}");
        if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
            && !scope.condition(condition, &path)?
        {
            continue;
        }
        let mut resource = Properties::new(scope, &path, resource)?;
        resource.without_effect(ATTRIBUTES_WITHOUT_EFFECT);
        let resource_type = resource.required("Type")?;
        if RESOURCES_WITHOUT_EFFECT.iter().any(|(known, _)| *known == resource_type) {
            continue;
        }
        let properties = match resource.map("Properties")? {
            Some(properties) => properties,
            None => Properties::new(scope, resource.at("Properties"), &Value::Null)?,
        };
        resource.finish()?;
        let arn = || scope.attribute(logical_id, Some("Arn"), &path);
        let name = |property| scope.physical_name(logical_id, property);
        match resource_type.as_str() {
            "AWS::Serverless::Function" => {
                let binary = binaries.get(logical_id).cloned();
                let shared = binaries.values().filter(|other| Some(*other) == binary.as_ref());
                let name = match &binary {
                    Some(binary) if shared.count() == 1 => binary.clone(),
                    _ => logical_id.to_owned(),
                };
                let (function, events) =
                    function::read_function(logical_id, name, binary, properties)?;
                project.functions.push(function);
                routes.extend(events);
            }
            "AWS::Serverless::HttpApi" => {
                ensure!(project.http_api.is_none(), "{path}: the local cloud does one HTTP API");
                project.http_api = Some(api::read_http_api(logical_id, properties)?);
            }
            "AWS::Serverless::WebSocketApi" => {
                ensure!(websocket_api.is_none(), "{path}: the local cloud does one WebSocket API");
                websocket_api = Some((logical_id, properties));
            }
            "AWS::DynamoDB::Table" => {
                project.tables.push(storage::read_table(name("TableName")?, arn()?, properties)?)
            }
            "AWS::SQS::Queue" => {
                project.queues.push(storage::read_queue(name("QueueName")?, arn()?, properties)?)
            }
            "AWS::SecretsManager::Secret" => {
                let arn = scope.attribute(logical_id, None, &path)?;
                project.secrets.push(storage::read_secret(name("Name")?, arn, properties)?);
            }
            other => bail!("{path}: the local cloud does not do {other}"),
        }
    }
    if let Some((logical_id, properties)) = websocket_api {
        project.websocket_api =
            Some(api::read_websocket_api(logical_id, properties, &project.functions)?);
    }
    connect_routes(&mut project, routes)?;
    check_streams(&project)?;
    Ok(project)
}

/// Gives every route to its API. Events that name none belong to the API that SAM makes for them.
fn connect_routes(project: &mut Project, routes: Vec<PlacedRoute>) -> Result<()> {
    for PlacedRoute { place, api, route } in routes {
        let api_id = api.unwrap_or_else(|| "ServerlessHttpApi".into());
        let http_api = project
            .http_api
            .get_or_insert_with(|| HttpApi { api_id: api_id.clone(), ..HttpApi::default() });
        ensure!(
            http_api.api_id == api_id,
            "{place}: {api_id} is not the HTTP API of this template, {}",
            http_api.api_id
        );
        if let Some(other) =
            http_api.routes.iter().find(|r| r.method == route.method && r.path == route.path)
        {
            bail!("{place}: {} {} is a route of {} too", route.method, route.path, other.function);
        }
        http_api.routes.push(route);
    }
    Ok(())
}

fn check_streams(project: &Project) -> Result<()> {
    for stream in project.functions.iter().flat_map(|f| &f.streams) {
        let table = project.tables.iter().find(|t| t.name == stream.table);
        let table = table.with_context(|| {
            format!("{}: {} is not a table of this template", stream.name, stream.table)
        })?;
        ensure!(
            table.stream_view_type.is_some(),
            "{}: the table {} has no StreamSpecification",
            stream.name,
            stream.table
        );
        if let Some(arn) = &stream.on_failure {
            ensure!(
                project.queues.iter().any(|q| q.arn == *arn),
                "{}: {arn} is not a queue of this template",
                stream.name
            );
        }
    }
    Ok(())
}
