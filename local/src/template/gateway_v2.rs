//! `AWS::ApiGatewayV2::*` and `AWS::Lambda::Permission`: WebSocket and HTTP APIs that are defined
//! resource by resource, as most templates did before SAM had a type for them.

use anyhow::{Context, Result, bail, ensure};

use super::api::{self, WITHOUT_EFFECT};
use super::model::{Cors, Function, HttpApi, HttpRoute, Project, WebSocketApi};
use super::properties::Properties;

/// The service principal that invokes the functions of an API.
const PRINCIPAL: &str = "apigateway.amazonaws.com";

/// The resources of these types. Once all are read, [`ApiResources::connect`] turns them into APIs.
#[derive(Default)]
pub(super) struct ApiResources {
    apis: Vec<Api>,
    routes: Vec<Route>,
    integrations: Vec<Integration>,
    stages: Vec<Stage>,
    permissions: Permissions,
}

struct Api {
    id: String,
    /// `RouteSelectionExpression` of a WebSocket API, or `None` for an HTTP API.
    route_selection: Option<String>,
    cors: Option<Cors>,
}

struct Route {
    place: String,
    api: String,
    key: String,
    target: String,
}

struct Integration {
    id: String,
    place: String,
    uri: String,
    payload_format: Option<String>,
}

struct Stage {
    api: String,
    name: String,
}

/// Which services may invoke which functions: pairs of a function and a principal.
#[derive(Default)]
pub(super) struct Permissions(Vec<(String, String)>);

impl Permissions {
    /// Whether `principal` (`apigateway.amazonaws.com`) may invoke `function`.
    pub(super) fn allow(&self, function: &Function, principal: &str) -> bool {
        self.0.iter().any(|(name, allowed)| {
            allowed == principal
                && [&function.function_name, &function.arn, &function.logical_id].contains(&name)
        })
    }
}

impl ApiResources {
    /// Reads a resource of one of these types.
    ///
    /// # Errors
    /// When a property is missing or malformed.
    pub(super) fn read(
        &mut self,
        logical_id: &str,
        resource_type: &str,
        mut properties: Properties<'_>,
    ) -> Result<()> {
        match resource_type {
            "AWS::ApiGatewayV2::Api" => {
                let websocket = properties.required("ProtocolType")? == "WEBSOCKET";
                let api = Api {
                    id: logical_id.to_owned(),
                    route_selection: match websocket {
                        true => Some(properties.required("RouteSelectionExpression")?),
                        false => None,
                    },
                    cors: api::read_cors_of(&mut properties)?,
                };
                properties.only("DisableExecuteApiEndpoint", &["false"])?;
                properties.without_effect(&[
                    ("ApiKeySelectionExpression", "routes that need an API key are rejected"),
                    ("Version", "shown in the console"),
                ]);
                self.apis.push(api);
            }
            "AWS::ApiGatewayV2::Route" => {
                properties.only("AuthorizationType", &["NONE"])?;
                properties.only("ApiKeyRequired", &["false"])?;
                properties.without_effect(&[("OperationName", "shown in the console")]);
                self.routes.push(Route {
                    place: properties.path().to_owned(),
                    api: properties.required("ApiId")?,
                    key: properties.required("RouteKey")?,
                    target: properties.required("Target")?,
                });
            }
            "AWS::ApiGatewayV2::Integration" => {
                properties.only("IntegrationType", &["AWS_PROXY"])?;
                properties.only("ConnectionType", &["INTERNET"])?;
                properties.without_effect(&[
                    ("ApiId", "the routes name the API"),
                    ("IntegrationMethod", "functions are always invoked with POST"),
                ]);
                self.integrations.push(Integration {
                    id: logical_id.to_owned(),
                    place: properties.path().to_owned(),
                    uri: properties.required("IntegrationUri")?,
                    payload_format: properties.string("PayloadFormatVersion")?,
                });
            }
            "AWS::ApiGatewayV2::Stage" => {
                properties.without_effect(&[
                    ("AutoDeploy", "the whole template is always deployed"),
                    ("DeploymentId", "there is one deployment"),
                    ("RouteSettings", "throttling and metrics, which a laptop does not need"),
                ]);
                self.stages.push(Stage {
                    api: properties.required("ApiId")?,
                    name: properties.required("StageName")?,
                });
            }
            "AWS::ApiGatewayV2::Deployment" => {
                let api = properties.required("ApiId")?;
                if let Some(name) = properties.string("StageName")? {
                    self.stages.push(Stage { api, name });
                }
            }
            "AWS::Lambda::Permission" => {
                properties.only("Action", &["lambda:InvokeFunction", "lambda:*"])?;
                let function = properties.required("FunctionName")?;
                self.permissions.0.push((function, properties.required("Principal")?));
                properties.without_effect(&[
                    ("SourceAccount", "there is one account"),
                    ("SourceArn", "only this template's APIs and rules invoke functions"),
                ]);
            }
            other => bail!("{}: the local cloud does not support {other}", properties.path()),
        }
        properties.without_effect(WITHOUT_EFFECT);
        properties.finish();
        Ok(())
    }

    /// Returns the permissions read so far.
    pub(super) fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// Adds the APIs to `project`.
    ///
    /// # Errors
    /// When a route doesn't invoke a function of the template or API Gateway may not invoke it,
    /// when there are two APIs of the same kind, or when an API has no stage or several.
    pub(super) fn connect(&self, project: &mut Project) -> Result<()> {
        for api in &self.apis {
            let place = format!("Resources.{}", api.id);
            let mut stages = self.stages.iter().filter(|stage| stage.api == api.id);
            let stage = stages.next().with_context(|| format!("{place}: has no stage"))?;
            ensure!(stages.next().is_none(), "{place}: the local cloud supports one stage");
            let routes: Vec<&Route> = self.routes.iter().filter(|r| r.api == api.id).collect();
            match &api.route_selection {
                Some(selection) => {
                    ensure!(
                        project.websocket_api.is_none(),
                        "{place}: the local cloud supports one WebSocket API"
                    );
                    let mut websocket_api = WebSocketApi {
                        api_id: api.id.clone(),
                        stage: stage.name.clone(),
                        route_selection: selection.clone(),
                        ..WebSocketApi::default()
                    };
                    for route in routes {
                        let function = self.function(route, project, "1.0")?;
                        websocket_api.routes.insert(route.key.clone(), function);
                    }
                    project.websocket_api = Some(websocket_api);
                }
                None => {
                    ensure!(
                        project.http_api.is_none(),
                        "{place}: the local cloud supports one HTTP API"
                    );
                    ensure!(
                        stage.name == "$default",
                        "{place}: the local cloud supports only the stage $default, not {}",
                        stage.name
                    );
                    let mut http_api = HttpApi {
                        api_id: api.id.clone(),
                        cors: api.cors.clone(),
                        ..HttpApi::default()
                    };
                    for route in routes {
                        let function = self.function(route, project, "2.0")?;
                        let (method, path) =
                            route.key.split_once(' ').unwrap_or(("ANY", &route.key));
                        http_api.routes.push(HttpRoute {
                            method: method.to_ascii_uppercase(),
                            path: path.to_owned(),
                            function,
                        });
                    }
                    project.http_api = Some(http_api);
                }
            }
        }
        for route in &self.routes {
            let known = self.apis.iter().any(|api| api.id == route.api);
            ensure!(known, "{}.ApiId: {} is not an API of this template", route.place, route.api);
        }
        Ok(())
    }

    /// Returns the name of the function that a route invokes. `payload_format` is the only one that
    /// the local cloud supports for this kind of API.
    fn function(&self, route: &Route, project: &Project, payload_format: &str) -> Result<String> {
        let integration = route
            .target
            .strip_prefix("integrations/")
            .and_then(|id| self.integrations.iter().find(|i| i.id == id))
            .with_context(|| {
                format!("{}.Target: {} is not an integration", route.place, route.target)
            })?;
        // 1.0 is the default of API Gateway.
        let format = integration.payload_format.as_deref().unwrap_or("1.0");
        if format != payload_format {
            bail!(
                "{}.PayloadFormatVersion: the local cloud supports only {payload_format}, \
                 not {format}",
                integration.place
            );
        }
        // arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<ARN>/invocations
        let arn = integration
            .uri
            .split_once("/functions/")
            .and_then(|(_, rest)| rest.strip_suffix("/invocations"))
            .unwrap_or(&integration.uri);
        let function = project.functions.iter().find(|f| f.arn == arn).with_context(|| {
            format!(
                "{}.IntegrationUri: {arn} is not a function of this template",
                integration.place
            )
        })?;
        ensure!(
            self.permissions.allow(function, PRINCIPAL),
            "{}.IntegrationUri: {} has no AWS::Lambda::Permission for {PRINCIPAL}",
            integration.place,
            function.logical_id
        );
        Ok(function.name.clone())
    }
}
