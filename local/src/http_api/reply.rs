//! Turns a function's reply into a response, as API Gateway does: payload format 2.0.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use anyhow::{Context as _, bail, ensure};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::event::is_hop_by_hop;

/// A reply in format 2.0. Unknown members, such as `multiValueHeaders` of format 1.0, are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Format2Reply {
    status_code: u16,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

/// Returns the response for a function's reply.
///
/// # Errors
/// When the reply is malformed. The message is for the log. The client gets a 500.
pub(super) fn response(payload: &[u8]) -> anyhow::Result<Response> {
    let reply: Value = serde_json::from_slice(payload).context("the reply is not JSON")?;
    if reply.get("statusCode").is_some() {
        return format_2_response(
            serde_json::from_value(reply).context("the reply is not of format 2.0")?,
        );
    }
    // Without a `statusCode`, the whole reply is the body.
    let body = match reply {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn format_2_response(reply: Format2Reply) -> anyhow::Result<Response> {
    let status =
        StatusCode::from_u16(reply.status_code).context("statusCode is not a status code")?;
    // 1xx statuses are informational. A server can't finish a request with one.
    ensure!(status.as_u16() >= 200, "statusCode {status} is informational, not final");
    let text = reply.body.unwrap_or_default();
    let body = if reply.is_base64_encoded == Some(true) {
        Bytes::from(
            BASE64
                .decode(text.as_bytes())
                .context("isBase64Encoded is true, but body is not base64")?,
        )
    } else {
        Bytes::from(text)
    };
    let mut headers = headers(reply.headers.unwrap_or_default())?;
    for cookie in reply.cookies.unwrap_or_default() {
        headers.append(
            SET_COOKIE,
            cookie.parse().with_context(|| format!("the cookie {cookie:?} is malformed"))?,
        );
    }
    if !body.is_empty() {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain;charset=UTF-8"));
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Converts a reply's headers. Leaves out headers about the connection, and `Content-Length`, which
/// the server sets.
fn headers(reply_headers: Map<String, Value>) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in reply_headers {
        let value = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            other => bail!("the header {name} is {other}, not a string"),
        };
        let name: HeaderName =
            name.parse().with_context(|| format!("{name:?} is not a header name"))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .with_context(|| format!("the value of {name} is malformed"))?;
        if !is_hop_by_hop(&name) && name != CONTENT_LENGTH {
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;

    async fn read(reply: Value) -> (StatusCode, HeaderMap, Bytes) {
        let (head, body) = response(reply.to_string().as_bytes()).unwrap().into_parts();
        (head.status, head.headers, body.collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn a_reply_in_format_2_becomes_the_response_it_describes() {
        let (status, headers, body) = read(json!({
            "statusCode": 201,
            "headers": { "Location": "/orders/1", "X-Count": 3, "Content-Length": "99", "Connection": "close" },
            "multiValueHeaders": { "x-old": ["1"] },
            "cookies": ["a=1; HttpOnly", "b=2"],
            "body": "{}",
        }))
        .await;
        assert_eq!((status.as_u16(), &body[..]), (201, &b"{}"[..]));
        let expected = [
            ("location", "/orders/1"),
            ("x-count", "3"),
            ("content-type", "text/plain;charset=UTF-8"),
        ];
        for (name, value) in expected {
            assert_eq!(headers[name], value);
        }
        assert_eq!(
            headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(),
            ["a=1; HttpOnly", "b=2"]
        );
        assert_eq!(headers.len(), 5);
    }

    #[tokio::test]
    async fn a_base64_body_is_decoded() {
        let (_, _, body) =
            read(json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": true })).await;
        assert_eq!(body[..], [0, 255]);
    }

    #[tokio::test]
    async fn a_reply_without_a_status_becomes_the_body() {
        for (reply, expected) in [
            (json!({ "message": "hello" }), r#"{"message":"hello"}"#),
            (json!("hello"), "hello"),
            (json!([1, 2]), "[1,2]"),
            (json!(null), "null"),
        ] {
            let (status, headers, body) = read(reply).await;
            assert_eq!((status.as_u16(), &body[..]), (200, expected.as_bytes()));
            assert_eq!(headers[CONTENT_TYPE], "application/json");
        }
    }

    #[test]
    fn a_malformed_reply_is_an_error() {
        for reply in [
            "",
            "{",
            r#"{"statusCode":"ok"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":100}"#,
            r#"{"statusCode":1000}"#,
            r#"{"statusCode":200,"body":{"a":1}}"#,
            r#"{"statusCode":200,"body":"%%","isBase64Encoded":true}"#,
            r#"{"statusCode":200,"headers":{"a":["b"]}}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"headers":{"a":"b\nc"}}"#,
            r#"{"statusCode":200,"cookies":"a=1"}"#,
        ] {
            assert!(response(reply.as_bytes()).is_err(), "{reply}");
        }
    }
}
