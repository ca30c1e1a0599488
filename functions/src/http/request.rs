//! What came in.

use std::str::FromStr;

use http::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt};
use serde_json::Value;
use shared::error::{Error, Invalid, Result, catalogue};

use super::Fields;
use super::fields::unknown;

/// Bodies above this are 413; the Stripe webhook has its own limit.
const BODY_LIMIT: usize = 64 * 1024;

/// One HTTP request: headers, parameters and the raw body.
#[derive(Debug)]
pub struct Request {
    event: lambda_http::Request,
}

/// `POST /orders`, as the event names its route.
pub(super) fn route_key(context: &RequestContext) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV2(context) => context.route_key.clone(),
        _ => None,
    }
}

impl Request {
    pub(super) fn new(event: lambda_http::Request) -> Self {
        Self { event }
    }

    /// The raw body, decoded from base64 if API Gateway encoded it.
    pub fn body(&self) -> &[u8] {
        match self.event.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        }
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.event.headers()
    }

    /// A header's value, if it is there and text.
    pub fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.event.headers().get(name.into()).and_then(|v| v.to_str().ok())
    }

    /// The address it came from, as API Gateway saw it: `X-Forwarded-For` is what a client says, and is not believed.
    pub fn source_ip(&self) -> String {
        match self.event.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone().unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// The parameters of its query string, decoded.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.event.query_string_parameters_ref().into_iter().flat_map(|parameters| parameters.iter())
    }

    /// Its path.
    pub fn path(&self) -> &str {
        self.event.raw_http_path()
    }

    /// The id in the path. One that can't be an id is one that is not there: 404.
    pub fn path_id<T: FromStr>(&self, what: &str) -> Result<T> {
        self.event
            .path_parameters_ref()
            .and_then(|p| p.first("id"))
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| Error::not_found(what))
    }

    /// The query string's parameters, of which only `known` are allowed, each once.
    pub fn query(&self, known: &[&str]) -> Result<Fields> {
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
                    (true, [value]) => drop(map.insert(name.to_owned(), Value::String((*value).to_owned()))),
                    (true, _) => errors.push(Invalid::new("repeated", "Give it once.").at(name)),
                }
            }
        }
        Ok(Fields::new(map, errors))
    }

    /// The JSON body's fields. An empty body counts as `{}`.
    pub fn fields(&self) -> Result<Fields> {
        let body = self.body();
        if body.len() > BODY_LIMIT {
            return Err(Error::new(&catalogue::BODY_TOO_LARGE, "Send at most 64 KiB."));
        }
        if body.is_empty() {
            return Ok(Fields::new(serde_json::Map::new(), Vec::new()));
        }
        let media_type = self.header(CONTENT_TYPE).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(Error::new(
                &catalogue::UNSUPPORTED_MEDIA_TYPE,
                "Send JSON, with Content-Type: application/json.",
            ));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Fields::new(map, Vec::new())),
            Ok(_) => Err(Error::new(&catalogue::MALFORMED_REQUEST, "Send a JSON object.")),
            Err(e) => Err(Error::new(
                &catalogue::MALFORMED_REQUEST,
                format!("The body is not JSON: line {}, column {}.", e.line(), e.column()),
            )),
        }
    }

    /// The fields of a form (`application/x-www-form-urlencoded`, as OAuth 2.0 has it) or of a JSON body.
    pub fn form_or_json(&self) -> Result<Fields> {
        let media_type = self.header(CONTENT_TYPE).unwrap_or_default();
        if !media_type.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            return self.fields();
        }
        if self.body().len() > BODY_LIMIT {
            return Err(Error::new(&catalogue::BODY_TOO_LARGE, "Send at most 64 KiB."));
        }
        let mut map = serde_json::Map::new();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(self.body()) {
            if map.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
                errors.push(Invalid::new("repeated", "Give it once.").at(name));
            }
        }
        Ok(Fields::new(map, errors))
    }

    /// Refuses (412) when `If-Match` names other versions than this one.
    pub fn check_if_match(&self, version: u64) -> Result<()> {
        match self.header(IF_MATCH) {
            Some(tags) if !lists(tags, version) => {
                Err(Error::new(&catalogue::PRECONDITION_FAILED, "It was changed meanwhile. Read it again.")
                    .with("version", version))
            }
            _ => Ok(()),
        }
    }

    /// Whether `If-None-Match` names this version: the reader has it.
    pub fn has_current(&self, version: u64) -> bool {
        self.header(IF_NONE_MATCH).is_some_and(|tags| lists(tags, version))
    }
}

/// Whether a list of entity tags (RFC 9110, section 8.8.3) holds the version's, or is `*`. Weak tags compare as their strong ones do:
/// ours are of the resource, not of its bytes.
fn lists(tags: &str, version: u64) -> bool {
    let wanted = format!("\"{version}\"");
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == wanted)
}
