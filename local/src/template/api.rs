//! `AWS::Serverless::HttpApi` and `AWS::Serverless::WebSocketApi`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::model::{Cors, Function, HttpApi, WebSocketApi};
use super::properties::Properties;

/// Properties of APIs without an effect that a client could see on one machine, each with the
/// reason.
pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("AccessLogSettings", "the local log shows every request"),
    ("DefaultRouteSettings", "throttling, which a laptop does not need, and detailed metrics"),
    ("Description", "shown in the console"),
    ("FailOnWarnings", "only for the import of an OpenAPI document"),
    ("Name", "shown in the console"),
    ("PropagateTags", "tags are for billing"),
    ("Tags", "tags are for billing"),
];

/// Reads an HTTP API. Its routes are read from the functions' events.
///
/// # Errors
/// When a property is malformed.
pub(super) fn read_http_api(logical_id: &str, mut properties: Properties<'_>) -> Result<HttpApi> {
    // The name of any other stage would be a prefix of every path.
    properties.only("StageName", &["$default"])?;
    let cors = read_cors_of(&mut properties)?;
    properties.without_effect(WITHOUT_EFFECT);
    properties.finish();
    Ok(HttpApi { api_id: logical_id.to_owned(), routes: Vec::new(), cors })
}

/// Takes `CorsConfiguration`, which may be SAM's short form `true`.
///
/// # Errors
/// When it is malformed, or allows credentials for any origin.
pub(super) fn read_cors_of(properties: &mut Properties<'_>) -> Result<Option<Cors>> {
    Ok(match properties.flag("CorsConfiguration")? {
        Some(true) => Some(Cors { allow_origins: vec!["*".into()], ..Cors::default() }),
        Some(false) => None,
        None => properties.map("CorsConfiguration")?.map(read_cors).transpose()?,
    })
}

fn read_cors(mut properties: Properties<'_>) -> Result<Cors> {
    let cors = Cors {
        allow_origins: properties.strings("AllowOrigins")?,
        allow_methods: properties.strings("AllowMethods")?,
        allow_headers: properties.strings("AllowHeaders")?,
        expose_headers: properties.strings("ExposeHeaders")?,
        max_age: properties.parsed("MaxAge")?,
        allow_credentials: properties.parsed("AllowCredentials")?.unwrap_or(false),
    };
    // API Gateway rejects this as well, because browsers do.
    let any = cors.allow_origins.iter().any(|o| o == "*");
    ensure!(
        !(any && cors.allow_credentials),
        "{}: credentials can't be allowed for the origin *",
        properties.at("AllowCredentials")
    );
    properties.finish();
    Ok(cors)
}

/// Reads a WebSocket API, whose routes invoke `functions`.
///
/// # Errors
/// When a property is missing or malformed, or a route invokes no function of the template.
pub(super) fn read_websocket_api(
    logical_id: &str,
    mut properties: Properties<'_>,
    functions: &[Function],
) -> Result<WebSocketApi> {
    let mut api = WebSocketApi {
        api_id: logical_id.to_owned(),
        stage: properties.string("StageName")?.unwrap_or_else(|| "default".into()),
        route_selection: properties.required("RouteSelectionExpression")?,
        routes: BTreeMap::new(),
    };
    let mut routes = properties
        .map("Routes")?
        .with_context(|| format!("{}: missing", properties.at("Routes")))?;
    for key in routes.keys() {
        let Some(mut route) = routes.map(&key)? else {
            continue;
        };
        let arn = route.required("FunctionArn")?;
        let Some(function) = functions.iter().find(|f| f.arn == arn) else {
            bail!("{}: {arn} is not a function of this template", route.at("FunctionArn"));
        };
        route.without_effect(&[("OperationName", "shown in the console")]);
        route.finish();
        api.routes.insert(key, function.name.clone());
    }
    properties.without_effect(WITHOUT_EFFECT);
    properties.finish();
    Ok(api)
}

impl Properties<'_> {
    /// Takes `key` if it is a boolean, and leaves it otherwise.
    fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        match self.peek(key)? {
            Some(Value::Bool(flag)) => {
                self.value(key)?;
                Ok(Some(flag))
            }
            _ => Ok(None),
        }
    }
}
