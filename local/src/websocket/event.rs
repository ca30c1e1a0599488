//! The events that API Gateway sends to the functions of a WebSocket API.
//!
//! They have the shape of events recorded on AWS. See the fixtures `example-apigw-websocket-*` of
//! `aws_lambda_events`.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;

use super::connection::{Connection, Identity};
use super::end::End;
use super::id;
use crate::model::WebSocketApi;

type Single = BTreeMap<String, String>;
type Multi = BTreeMap<String, Vec<String>>;

/// An event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Single>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<Multi>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<Single>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_query_string_parameters: Option<Multi>,
    pub(super) request_context: RequestContext,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

/// The `requestContext` of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestContext {
    pub(super) route_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_status_code: Option<u16>,
    event_type: &'static str,
    extended_request_id: String,
    request_time: String,
    message_direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<String>,
    stage: String,
    connected_at: i64,
    request_time_epoch: i64,
    identity: Identity,
    pub(super) request_id: String,
    domain_name: String,
    pub(super) connection_id: String,
    api_id: String,
}

impl Event {
    /// Returns the `$connect` event, the only one with the client's headers and query string.
    pub(super) fn connect(api: &WebSocketApi, connection: &Connection, parts: &Parts) -> Self {
        let headers = headers(&parts.headers, connection);
        let query = query(parts);
        Self {
            headers: Some(last_values(&headers)),
            multi_value_headers: Some(headers),
            query_string_parameters: query.as_ref().map(last_values),
            multi_value_query_string_parameters: query,
            ..Self::new(api, connection, "$connect", "CONNECT")
        }
    }

    /// Returns the event for a message from the client.
    pub(super) fn message(
        api: &WebSocketApi,
        connection: &Connection,
        route_key: &str,
        body: String,
    ) -> Self {
        let mut event = Self::new(api, connection, route_key, "MESSAGE");
        event.request_context.message_id = Some(id::new());
        event.body = Some(body);
        event
    }

    /// Returns the `$disconnect` event, with the same unusual headers as on AWS.
    pub(super) fn disconnect(api: &WebSocketApi, connection: &Connection, end: &End) -> Self {
        let mut event = Self::new(api, connection, "$disconnect", "DISCONNECT");
        event.request_context.disconnect_status_code = Some(end.code);
        event.request_context.disconnect_reason = Some(end.reason.to_string());
        let host = ("Host", connection.domain_name.as_str());
        let headers: Multi = [host, ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")]
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
            .into();
        event.headers = Some(last_values(&headers));
        event.multi_value_headers = Some(headers);
        event
    }

    fn new(
        api: &WebSocketApi,
        connection: &Connection,
        route_key: &str,
        event_type: &'static str,
    ) -> Self {
        let now = Timestamp::now();
        let request_id = id::new();
        let request_context = RequestContext {
            route_key: route_key.to_owned(),
            message_id: None,
            disconnect_status_code: None,
            event_type,
            extended_request_id: request_id.clone(),
            request_time: now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            message_direction: "IN",
            disconnect_reason: None,
            stage: api.stage.clone(),
            connected_at: connection.connected_at.as_millisecond(),
            request_time_epoch: now.as_millisecond(),
            identity: connection.identity.clone(),
            request_id,
            domain_name: connection.domain_name.clone(),
            connection_id: connection.id.clone(),
            api_id: api.api_id.clone(),
        };
        Self {
            headers: None,
            multi_value_headers: None,
            query_string_parameters: None,
            multi_value_query_string_parameters: None,
            request_context,
            body: None,
            is_base64_encoded: false,
        }
    }
}

/// Returns the client's headers without those about the connection, plus those that API Gateway
/// adds.
fn headers(client_headers: &HeaderMap, connection: &Connection) -> Multi {
    let mut headers = Multi::new();
    for (name, value) in
        client_headers.iter().filter(|(name, _)| !matches!(name.as_str(), "connection" | "upgrade"))
    {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(usual_case(name.as_str())).or_default().push(value);
    }
    let port = connection.domain_name.rsplit_once(':').map_or("80", |(_, port)| port);
    let [trace, root] =
        [id::new(), id::new()].map(|id| data_encoding::HEXLOWER.encode(id.as_bytes()));
    let trace = format!(
        "Root=1-{:08x}-{}{}",
        connection.connected_at.as_second(),
        &trace[..12],
        &root[..12]
    );
    let added = [
        ("X-Amzn-Trace-Id", trace.as_str()),
        ("X-Forwarded-For", connection.identity.source_ip.as_str()),
        ("X-Forwarded-Port", port),
        ("X-Forwarded-Proto", "http"),
    ];
    for (name, value) in added {
        headers.entry(name.to_owned()).or_insert_with(|| vec![value.to_owned()]);
    }
    headers
}

/// Returns a header name in the case that clients usually send. API Gateway keeps the client's
/// case, but hyper does not.
fn usual_case(name: &str) -> String {
    let part = |part: &str| match part {
        "websocket" => "WebSocket".to_owned(),
        part => part[..1].to_ascii_uppercase() + &part[1..],
    };
    name.split('-')
        .map(|p| if p.is_empty() { String::new() } else { part(p) })
        .collect::<Vec<_>>()
        .join("-")
}

fn query(parts: &Parts) -> Option<Multi> {
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).ok()?.0;
    let mut query = Multi::new();
    for (name, value) in pairs {
        query.entry(name).or_default().push(value);
    }
    (!query.is_empty()).then_some(query)
}

fn last_values(multi: &Multi) -> Single {
    multi.iter().filter_map(|(name, values)| Some((name.clone(), values.last()?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_get_their_usual_case() {
        for name in ["Host", "Sec-WebSocket-Key", "User-Agent", "X-Api-Key", "Origin"] {
            assert_eq!(usual_case(&name.to_ascii_lowercase()), name);
        }
    }
}
