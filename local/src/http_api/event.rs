//! API Gateway's event for a request: payload format 2.0.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use data_encoding::BASE64;
use http::HeaderMap;
use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, USER_AGENT,
};
use http::request::Parts;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::routes::{Matched, decode};
use crate::functions::trace_root;

/// The values of an event that don't come from the HTTP request itself.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) account_id: &'a str,
    pub(super) api_id: &'a str,
    pub(super) request_id: &'a str,
    pub(super) client: SocketAddr,
    pub(super) received: Timestamp,
}

/// Returns the event for a request that took the route `matched`.
pub(super) fn event(
    request: &Parts,
    body: &Bytes,
    matched: &Matched<'_>,
    context: &Context<'_>,
) -> Value {
    // Despite the name `rawPath`, API Gateway decodes the path. Only Function URLs and REST APIs
    // leave it as the client sent it.
    let path = decode(request.uri.path());
    let host = header(&request.headers, &HOST);
    let (text, is_base64) = encode(&request.headers, body);
    // The IP address that connected. `X-Forwarded-For` can't be trusted, because clients can send
    // any value.
    let source_ip = context.client.ip().to_canonical().to_string();
    let mut event = json!({
        "version": "2.0",
        "routeKey": matched.key,
        "rawPath": path,
        "rawQueryString": request.uri.query().unwrap_or_default(),
        "headers": headers(&request.headers, body.len(), &source_ip),
        "requestContext": {
            "accountId": context.account_id,
            "apiId": context.api_id,
            // The name that the client used, with the port, so that functions can build URLs that
            // work here.
            "domainName": host,
            "domainPrefix": host.split(['.', ':']).next(),
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", request.version),
                "sourceIp": source_ip,
                "userAgent": header(&request.headers, &USER_AGENT),
            },
            "requestId": context.request_id,
            "routeKey": matched.key,
            "stage": "$default",
            "time": context.received.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": context.received.as_millisecond(),
        },
        "isBase64Encoded": is_base64,
    });
    for (name, value) in [
        ("cookies", json!(cookies(&request.headers))),
        ("queryStringParameters", json!(query(request.uri.query().unwrap_or_default()))),
        ("pathParameters", json!(matched.parameters)),
        ("body", json!(text)),
    ] {
        // API Gateway omits empty members.
        if ![json!([]), json!({}), json!("")].contains(&value) {
            event[name] = value;
        }
    }
    event
}

/// Returns the event's headers. Names are in lower case (as in the `http` crate), and the values of
/// a repeated name are joined with commas. Headers about the connection are left out, and those
/// that API Gateway adds are included.
fn headers(headers: &HeaderMap, length: usize, source_ip: &str) -> Map<String, Value> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        if *name != COOKIE && !is_hop_by_hop(name) {
            append(joined.entry(name.as_str()).or_default(), ",", &to_text(value));
        }
    }
    joined.insert(CONTENT_LENGTH.as_str(), length.to_string());
    append(joined.entry("x-forwarded-for").or_default(), ", ", source_ip);
    let host = joined.get("host").map(String::as_str).unwrap_or_default();
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port).to_owned();
    joined.insert("x-forwarded-port", port);
    joined.insert("x-forwarded-proto", "http".to_owned());
    joined.entry("x-amzn-trace-id").or_insert_with(|| trace_root(&Uuid::now_v7().to_string()));
    joined.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn append(list: &mut String, separator: &str, value: &str) {
    if !list.is_empty() {
        list.push_str(separator);
    }
    list.push_str(value);
}

/// Whether a request or response header only concerns the connection (RFC 9110, section 7.6.1).
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    const NAMES: [&str; 7] = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.contains(&name.as_str())
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values: Vec<_> = headers.get_all(COOKIE).iter().map(to_text).collect();
    let cookies = values.iter().flat_map(|value| value.split(';')).map(str::trim);
    cookies.filter(|cookie| !cookie.is_empty()).map(str::to_owned).collect()
}

/// Decodes a query string, and joins the values of a repeated key with commas.
fn query(query: &str) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match joined.get_mut(key.as_ref()) {
            Some(list) => *list = format!("{list},{value}"),
            None => drop(joined.insert(key.into_owned(), value.into_owned())),
        }
    }
    joined
}

/// Returns the body as a string, and whether it is base64. API Gateway treats `text/*` and
/// `application/json`, `/xml` and `/javascript` as text. Everything else is base64, including forms
/// (`application/x-www-form-urlencoded`), `application/*+json` and bodies without a type. AWS
/// doesn't document this list. It was measured in
/// <https://github.com/ministackorg/ministack/pull/766>.
fn encode(headers: &HeaderMap, body: &Bytes) -> (String, bool) {
    let content_type = header(headers, &CONTENT_TYPE).to_ascii_lowercase();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let is_text = media_type.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&media_type);
    match std::str::from_utf8(body) {
        Ok(body) if is_text => (body.to_owned(), false),
        _ => (BASE64.encode(body), !body.is_empty()),
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).map(to_text).unwrap_or_default()
}

/// Converts a header value, which is bytes, to text for JSON. A value that is not UTF-8 is read as
/// Latin-1, which loses nothing.
fn to_text(value: &HeaderValue) -> String {
    let utf8 = std::str::from_utf8(value.as_bytes()).map(str::to_owned);
    utf8.unwrap_or_else(|_| value.as_bytes().iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests;
