use super::*;
use crate::http_api::routes::Routes;
use crate::model::HttpRoute;

fn event_for(request: http::request::Builder, body: &[u8]) -> Value {
    let (request, ()) = request.body(()).unwrap().into_parts();
    let routes = Routes::new(&[HttpRoute {
        method: request.method.to_string(),
        path: "/orders/{id}/accept".to_owned(),
        function: "orders-accept".to_owned(),
    }]);
    let matched = routes.find(&request.method, request.uri.path()).unwrap();
    let context = Context {
        account_id: "123456789012",
        api_id: "HttpApi",
        request_id: "JKJaXmPLvHcESHA=",
        client: "[::ffff:192.0.2.7]:50000".parse().unwrap(),
        received: Timestamp::from_millisecond(1_583_348_638_390).unwrap(),
    };
    event(&request, &Bytes::copy_from_slice(body), &matched, &context)
}

fn post() -> http::request::Builder {
    http::Request::post("/orders/7/accept")
}

#[test]
fn an_event_has_the_shape_that_api_gateway_gives_it() {
    let request = http::Request::post("/orders/a%20b/accept?x=1&y=a%26b+c&x=2&flag")
        .header("Host", "localhost:8000")
        .header("User-Agent", "curl/8")
        .header("Content-Type", "application/json; charset=utf-8")
        .header("Content-Length", "9")
        .header("Connection", "keep-alive")
        .header("X-Many", "1")
        .header("X-Many", "2")
        .header("X-Forwarded-For", "203.0.113.9")
        .header("X-Amzn-Trace-Id", "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c")
        .header("Cookie", "a=1; b=2")
        .header("Cookie", "c=3");
    let expected = json!({
        "version": "2.0",
        "routeKey": "POST /orders/{id}/accept",
        "rawPath": "/orders/a b/accept",
        "rawQueryString": "x=1&y=a%26b+c&x=2&flag",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "host": "localhost:8000",
            "user-agent": "curl/8",
            "content-type": "application/json; charset=utf-8",
            "content-length": "9",
            "x-many": "1,2",
            "x-forwarded-for": "203.0.113.9, 192.0.2.7",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c",
        },
        "queryStringParameters": { "x": "1,2", "y": "a&b c", "flag": "" },
        "pathParameters": { "id": "a b" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "HttpApi",
            "domainName": "localhost:8000",
            "domainPrefix": "localhost",
            "http": {
                "method": "POST",
                "path": "/orders/a b/accept",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "curl/8",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "POST /orders/{id}/accept",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_i64,
        },
        "body": r#"{"note":1"#,
        "isBase64Encoded": false,
    });
    assert_eq!(event_for(request, br#"{"note":1"#), expected);
}

#[test]
fn empty_members_are_left_out() {
    let event = event_for(post(), b"");
    for name in ["body", "cookies", "queryStringParameters"] {
        assert_eq!(event.get(name), None, "{name}");
    }
    assert_eq!((&event["rawQueryString"], &event["isBase64Encoded"]), (&json!(""), &json!(false)));
    assert_eq!(event["headers"]["content-length"], "0");
    assert_eq!(event["headers"]["x-amzn-trace-id"].as_str().unwrap().len(), 40);
}

#[test]
fn the_content_type_decides_whether_a_body_is_text_or_base64() {
    for (content_type, body, is_base64) in [
        (Some("application/json"), &b"{}"[..], false),
        (Some("Text/Plain; charset=utf-8"), b"{}", false),
        (Some("application/json"), b"\xff", true),
        (Some("application/x-www-form-urlencoded"), b"a=b", true),
        (Some("application/problem+json"), b"{}", true),
        (Some("application/octet-stream"), b"{}", true),
        (None, b"{}", true),
    ] {
        let request = content_type
            .into_iter()
            .fold(post(), |request, value| request.header("content-type", value));
        let event = event_for(request, body);
        assert_eq!(event["isBase64Encoded"], is_base64, "{content_type:?}");
        let expected = if is_base64 {
            BASE64.encode(body)
        } else {
            String::from_utf8_lossy(body).into_owned()
        };
        assert_eq!(event["body"], expected, "{content_type:?}");
    }
}

#[test]
fn header_values_that_are_not_utf8_are_read_as_latin_1() {
    let request = post().header("x-name", HeaderValue::from_bytes(b"Andr\xe9").unwrap());
    assert_eq!(event_for(request, b"")["headers"]["x-name"], "André");
}
