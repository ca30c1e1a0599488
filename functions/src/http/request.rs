//! The incoming request.

use std::str::FromStr;

use aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use headers::{ETag, HeaderMapExt, IfMatch};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Method};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt};
use serde_json::Value;
use shared::domain::ids::OrderId;
use shared::error::{Error, Invalid, Result, catalogue};

use super::fields::unknown;
use super::strict::Strict;
use super::{FieldSet, Fields};

/// One HTTP request: headers, parameters and the raw body.
#[derive(Debug)]
pub struct Request {
    event: lambda_http::Request,
}

impl Request {
    pub(super) fn new(event: lambda_http::Request) -> Self {
        Self { event }
    }

    /// API Gateway's id of the request, which its own responses have in `Apigw-Requestid`, or the
    /// id of the invocation if there is no gateway.
    pub(super) fn id(&self) -> &str {
        self.context()
            .and_then(|context| context.request_id.as_deref())
            .unwrap_or_else(|| self.invocation_id())
    }

    /// Lambda's id of the invocation, which Lambda's own log lines have.
    pub(super) fn invocation_id(&self) -> &str {
        self.event
            .lambda_context_ref()
            .map(|context| context.request_id.as_str())
            .unwrap_or_default()
    }

    /// When Lambda ends the invocation.
    pub(super) fn deadline(&self) -> Option<std::time::SystemTime> {
        self.event.lambda_context_ref().map(lambda_http::Context::deadline)
    }

    /// The route as the event names it: `POST /orders/{id}/accept`.
    pub(super) fn route(&self) -> &str {
        self.context().and_then(|context| context.route_key.as_deref()).unwrap_or_default()
    }

    fn context(&self) -> Option<&ApiGatewayV2httpRequestContext> {
        match self.event.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => Some(context),
            _ => None,
        }
    }

    /// The order that the path names (`/orders/{id}/...`), for the log. `None` if the id is
    /// malformed.
    pub(super) fn order_id(&self) -> Option<&str> {
        let id = self.path_parameter("id").filter(|_| self.path().starts_with("/orders/"))?;
        id.parse::<OrderId>().is_ok().then_some(id)
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.event.method()
    }

    /// The raw body, decoded from base64 if API Gateway encoded it.
    pub fn body(&self) -> &[u8] {
        match self.event.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        }
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.event.headers()
    }

    /// A header's value, if the header is present and its value is text.
    pub fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.event.headers().get(name.into()).and_then(|v| v.to_str().ok())
    }

    /// The client's IP address as API Gateway saw it. `X-Forwarded-For` is not used: a client can
    /// write anything there.
    pub fn ip_address(&self) -> String {
        self.context().and_then(|context| context.http.source_ip.clone()).unwrap_or_default()
    }

    /// The decoded parameters of the query string.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.event
            .query_string_parameters_ref()
            .into_iter()
            .flat_map(|parameters| parameters.iter())
    }

    /// The path.
    pub fn path(&self) -> &str {
        self.event.raw_http_path()
    }

    /// A path parameter, by its name in the route.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.event.path_parameters_ref().and_then(|parameters| parameters.first(name))
    }

    /// The `{id}` of the path, for a resource that errors call `what`.
    ///
    /// # Errors
    /// 404 for a malformed id, as for an unknown one.
    pub fn path_id<T: FromStr>(&self, what: &str) -> Result<T> {
        let id = self.path_parameter("id").ok_or_else(|| Error::not_found(what))?;
        id.parse().map_err(|_| Error::not_found(what))
    }

    /// Parses the JSON body as `T` (see [`body!`](super::body)).
    ///
    /// # Errors
    /// Those of [`Request::fields`]; 422 naming every wrong, missing or unknown field.
    pub fn body_as<T: FieldSet>(&self) -> Result<T> {
        self.fields()?.read()
    }

    /// Parses the query string as `T`.
    ///
    /// # Errors
    /// 422 naming every wrong, missing, unknown or repeated parameter.
    pub fn query_as<T: FieldSet>(&self) -> Result<T> {
        self.query(T::NAMES).read()
    }

    /// The parameters of the query string. Only `known` ones are allowed, and each only once; the
    /// others are reported when the fields are read.
    fn query(&self, known: &[&str]) -> Fields {
        let mut map = serde_json::Map::new();
        let mut errors = Vec::new();
        if let Some(parameters) = self.event.query_string_parameters_ref() {
            let mut names: Vec<&str> = parameters.iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let values = parameters.all(name).unwrap_or_default();
                match (known.contains(&name), values.as_slice()) {
                    (false, _) => errors.push(unknown("parameter", known).at(name)),
                    (true, [value]) => {
                        drop(map.insert(name.to_owned(), Value::String((*value).to_owned())))
                    }
                    (true, _) => {
                        errors.push(Invalid::new("repeated", "Must be given only once.").at(name))
                    }
                }
            }
        }
        Fields::new(map, errors)
    }

    /// The JSON body's fields. An empty body counts as `{}`.
    ///
    /// # Errors
    /// 415 for another media type, charset or content coding; 400 when the body is not a JSON
    /// object or repeats a name.
    pub fn fields(&self) -> Result<Fields> {
        if self.body().is_empty() {
            return Ok(Fields::new(serde_json::Map::new(), Vec::new()));
        }
        if !self.is_sent_as("application/json") {
            let detail =
                "Send JSON in UTF-8, with Content-Type: application/json and no Content-Encoding.";
            return Err(Error::new(&catalogue::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        match serde_json::from_slice(self.body()) {
            Ok(Strict(Value::Object(map))) => Ok(Fields::new(map, Vec::new())),
            Ok(_) => Err(Error::new(&catalogue::MALFORMED_REQUEST, "Send a JSON object.")),
            Err(e) => Err(Error::new(
                &catalogue::MALFORMED_REQUEST,
                format!(
                    "The body is not valid JSON, or an object in it repeats a name: see line {}, \
                     column {}.",
                    e.line(),
                    e.column()
                ),
            )),
        }
    }

    /// The fields of a form (`application/x-www-form-urlencoded`, as in OAuth 2.0) or of a JSON
    /// body.
    ///
    /// # Errors
    /// Those of [`Request::fields`].
    pub fn form_or_json(&self) -> Result<Fields> {
        if !self.is_sent_as("application/x-www-form-urlencoded") {
            return self.fields();
        }
        let mut map = serde_json::Map::new();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(self.body()) {
            if map.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
                errors.push(Invalid::new("repeated", "Must be given only once.").at(name));
            }
        }
        Ok(Fields::new(map, errors))
    }

    /// Whether the body has this media type, is in UTF-8, and is not compressed.
    fn is_sent_as(&self, media_type: &str) -> bool {
        let is_plain = self
            .header(CONTENT_ENCODING)
            .is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
        let content_type = self.header(CONTENT_TYPE).unwrap_or_default();
        let mut parts = content_type.split(';').map(str::trim);
        let is_type = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(media_type));
        let is_utf8 =
            parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
                !name.eq_ignore_ascii_case("charset")
                    || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            });
        is_plain && is_type && is_utf8
    }

    /// Checks that the body has at most `limit` bytes.
    ///
    /// # Errors
    /// 413 when it is larger.
    pub(super) fn check_size(&self, limit: usize) -> Result<()> {
        match self.body().len() > limit {
            true => Err(Error::new(
                &catalogue::BODY_TOO_LARGE,
                format!("Send at most {} KiB.", limit / 1024),
            )),
            false => Ok(()),
        }
    }

    /// Checks `If-Match` against the current version of the resource. A weak tag never matches (RFC
    /// 9110, section 13.1.1).
    ///
    /// # Errors
    /// 412 when the header is present and does not list `version`.
    pub fn check_if_match(&self, version: u64) -> Result<()> {
        let matches = match self.headers().typed_try_get::<IfMatch>() {
            Ok(None) => true,
            Ok(Some(if_match)) => if_match.precondition_passes(&etag(version)?),
            Err(_) => false,
        };
        if matches {
            return Ok(());
        }
        let detail = "The resource has changed, or If-Match is not an ETag that the API returned. Read the \
             resource again.";
        Err(Error::new(&catalogue::PRECONDITION_FAILED, detail).with_member("version", version))
    }
}

/// The entity tag of a resource's version: `"3"`.
///
/// # Errors
/// None in practice: every version makes a valid tag.
pub(super) fn etag(version: u64) -> Result<ETag> {
    format!("\"{version}\"").parse().map_err(Error::internal)
}
