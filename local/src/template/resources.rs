//! Reads the `Resources` of a template one by one, then links them to each other.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::api;
use super::events::PlacedRoute;
use super::function;
use super::gateway_v2::ApiResources;
use super::model::{HttpApi, Project};
use super::properties::Properties;
use super::role::{self, Role};
use super::rule::{self, Rule};
use super::scope::{IMPLICIT_API, Scope};
use super::storage;

/// Resource types that need no local counterpart, each with the reason.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("AWS::ApiGateway::Account", "the role that API Gateway uses to write logs"),
    ("AWS::ApplicationInsights::Application", "there are no metrics to watch"),
    ("AWS::Budgets::Budget", "nothing here costs money"),
    ("AWS::CloudWatch::Alarm", "there are no metrics to watch"),
    ("AWS::CloudWatch::AnomalyDetector", "there are no metrics to watch"),
    ("AWS::CloudWatch::CompositeAlarm", "there are no metrics to watch"),
    ("AWS::CloudWatch::Dashboard", "there are no metrics to show"),
    ("AWS::Logs::LogGroup", "everything goes to one local log"),
    ("AWS::Logs::MetricFilter", "there are no metrics"),
    ("AWS::Logs::QueryDefinition", "a saved query for the console"),
    ("AWS::ResourceGroups::Group", "groups resources in the console"),
];

/// Resource types that the local cloud provides.
const PROVIDED: &[&str] = &[
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Serverless::Function",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::SimpleTable",
    "AWS::Serverless::WebSocketApi",
];

/// Whether resources of this type are supported: provided, or ignored because they have no effect.
pub(super) fn is_known(resource_type: &str) -> bool {
    PROVIDED.contains(&resource_type)
        || WITHOUT_EFFECT.iter().any(|(known, _)| *known == resource_type)
}

/// Attributes of a resource that matter only to a deployment, each with the reason.
const ATTRIBUTES_WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("Condition", "evaluated before the resource is read"),
    ("DeletionPolicy", "no stack is deleted here"),
    ("DependsOn", "everything exists before any function runs"),
    ("Metadata", "for tools; the name of a function's binary is read separately"),
    ("UpdateReplacePolicy", "no stack is updated here"),
];

/// The state of the reader: everything read so far.
struct Reader<'s> {
    scope: &'s Scope<'s>,
    /// The name of each function's binary, by logical id.
    binaries: BTreeMap<String, String>,
    project: Project,
    routes: Vec<PlacedRoute>,
    websocket_api: Option<(&'s str, Properties<'s>)>,
    api_resources: ApiResources,
    rules: Vec<Rule>,
    roles: Vec<Role>,
    /// The ARN of each function's `Role`, with the function's index in the project.
    function_roles: Vec<(usize, String)>,
}

/// Reads every resource. What is not supported is added to the scope's diagnostics.
///
/// # Errors
/// When the name of a function's binary can't be evaluated.
pub(super) fn read(scope: &Scope<'_>) -> Result<Project> {
    let mut reader = Reader {
        scope,
        binaries: function::binaries(scope)?,
        project: Project::default(),
        routes: Vec::new(),
        websocket_api: None,
        api_resources: ApiResources::default(),
        rules: Vec::new(),
        roles: Vec::new(),
        function_roles: Vec::new(),
    };
    let mut all_read = true;
    for (logical_id, resource) in scope.resources {
        if let Err(error) = reader.resource(logical_id.as_str().unwrap_or_default(), resource) {
            scope.diagnostics.add(format!("{error:#}"));
            all_read = false;
        }
    }
    // After a failure the links are not checked, because they would report the unread resource as
    // missing.
    if all_read && let Err(error) = reader.connect() {
        scope.diagnostics.add(format!("{error:#}"));
    }
    reader.project.notes = scope.notes.take();
    Ok(reader.project)
}

impl<'s> Reader<'s> {
    fn resource(&mut self, logical_id: &'s str, resource: &Value) -> Result<()> {
        let scope = self.scope;
        let path = format!("Resources.{logical_id}");
        if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
            && !scope.condition(condition, &path)?
        {
            return Ok(());
        }
        let unsupported = resource.get("Type").and_then(Value::as_str).filter(|t| !is_known(t));
        if let Some(unsupported) = unsupported {
            bail!("{path}: the local cloud does not support {unsupported}");
        }
        let mut resource = Properties::new(scope, &path, resource)?;
        resource.without_effect(ATTRIBUTES_WITHOUT_EFFECT);
        let resource_type = resource.required("Type")?;
        if WITHOUT_EFFECT.iter().any(|(known, _)| *known == resource_type) {
            return Ok(());
        }
        let properties = match resource.map("Properties")? {
            Some(properties) => properties,
            None => Properties::new(scope, resource.at("Properties"), &Value::Null)?,
        };
        resource.finish();
        let arn = || scope.attribute(logical_id, Some("Arn"), &path);
        let name = |property| scope.physical_name(logical_id, property);
        let project = &mut self.project;
        match resource_type.as_str() {
            "AWS::Serverless::Function" => self.function(logical_id, properties)?,
            "AWS::Serverless::HttpApi" => {
                let only = "the local cloud supports one HTTP API";
                ensure!(project.http_api.is_none(), "{path}: {only}");
                project.http_api = Some(api::read_http_api(logical_id, properties)?);
            }
            "AWS::Serverless::WebSocketApi" => {
                let only = "the local cloud supports one WebSocket API";
                ensure!(self.websocket_api.is_none(), "{path}: {only}");
                self.websocket_api = Some((logical_id, properties));
            }
            "AWS::Serverless::SimpleTable" => {
                let table = storage::read_simple_table(name("TableName")?, arn()?, properties)?;
                project.tables.push(table);
            }
            "AWS::DynamoDB::Table" => {
                project.tables.push(storage::read_table(name("TableName")?, arn()?, properties)?);
            }
            "AWS::SQS::Queue" => {
                project.queues.push(storage::read_queue(name("QueueName")?, arn()?, properties)?);
            }
            "AWS::SecretsManager::Secret" => {
                let arn = scope.attribute(logical_id, None, &path)?;
                project.secrets.push(storage::read_secret(name("Name")?, arn, properties)?);
            }
            "AWS::Events::Rule" => self.rules.extend(rule::read_rule(logical_id, properties)?),
            "AWS::IAM::Role" => self.roles.push(role::read_role(arn()?, properties)?),
            other => self.api_resources.read(logical_id, other, properties)?,
        }
        Ok(())
    }

    fn function(&mut self, logical_id: &str, mut properties: Properties<'_>) -> Result<()> {
        let binary = self.binaries.get(logical_id).cloned();
        let sharing = self.binaries.values().filter(|other| Some(*other) == binary.as_ref());
        let name = match &binary {
            Some(binary) if sharing.count() == 1 => binary.clone(),
            _ => logical_id.to_owned(),
        };
        if let Some(role) = properties.string("Role")? {
            self.function_roles.push((self.project.functions.len(), role));
        }
        let (function, routes) = function::read_function(logical_id, name, binary, properties)?;
        self.project.functions.push(function);
        self.routes.extend(routes);
        Ok(())
    }

    fn connect(&mut self) -> Result<()> {
        let project = &mut self.project;
        for (function, arn) in &self.function_roles {
            let function = &mut project.functions[*function];
            let role = self.roles.iter().find(|role| role.arn == *arn).with_context(|| {
                let path = format!("Resources.{}.Properties.Role", function.logical_id);
                format!("{path}: {arn} is not a role of this template")
            })?;
            function.policy.extend(role.statements.iter().cloned());
        }
        if let Some((logical_id, properties)) = self.websocket_api.take() {
            project.websocket_api =
                Some(api::read_websocket_api(logical_id, properties, &project.functions)?);
        }
        self.api_resources.connect(project)?;
        connect_routes(project, std::mem::take(&mut self.routes))?;
        for rule in &self.rules {
            rule.connect(project, self.api_resources.permissions())?;
        }
        check_streams(project)
    }
}

/// Adds every route to its API. Events without an `ApiId` belong to the API that SAM creates for
/// them.
fn connect_routes(project: &mut Project, routes: Vec<PlacedRoute>) -> Result<()> {
    for PlacedRoute { place, api, route } in routes {
        let api_id = api.unwrap_or_else(|| IMPLICIT_API.into());
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
            bail!("{place}: {} {} is also a route of {}", route.method, route.path, other.function);
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
