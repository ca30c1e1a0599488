use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_sdk_apigatewaymanagement::config::{Credentials, Region};
use futures::future::join_all;

use super::*;
use crate::aws::http_client;

/// The responses to successive requests for a connection. The last response repeats.
type Script = &'static [Response];

#[derive(Clone, Copy)]
enum Response {
    /// Respond with this status, and with the error's type if it has one.
    Status(u16, Option<&'static str>),
    /// Close the connection without a response.
    Disconnect,
    /// Never respond.
    Silence,
}

const DONE: Response = Response::Status(200, None);
const THROTTLED: Response = Response::Status(429, Some("LimitExceededException"));
/// A throttle without an error type, as the gateway in front of `@connections` sends it.
const UNTYPED: Response = Response::Status(429, None);

/// A fake `@connections` API that follows a script and counts requests by connection.
struct Gateway {
    endpoint: String,
    requests: Arc<Mutex<HashMap<String, usize>>>,
}

impl Gateway {
    fn new(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<HashMap<String, usize>>>::default();
        let counts = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let counts = Arc::clone(&counts);
                std::thread::spawn(move || serve(stream.unwrap(), script, &counts));
            }
        });
        Self { endpoint, requests }
    }

    fn client(&self, policy: TimeoutPolicy) -> ApiGateway {
        let settings = SdkSettings {
            region: Region::new("eu-west-1"),
            credentials: Credentials::new("AKID", "secret", None, None, "test"),
            http: http_client().unwrap(),
            timeouts: TimeoutConfig::disabled(),
            retries: RetryConfig::disabled(),
        };
        ApiGateway::new(settings, self.endpoint.clone(), policy)
    }

    fn requests(&self, connection: &str) -> usize {
        self.requests.lock().unwrap().get(connection).copied().unwrap_or_default()
    }
}

fn serve(stream: TcpStream, script: Script, counts: &Mutex<HashMap<String, usize>>) {
    let mut lines = BufReader::new(stream);
    let (mut path, mut line, mut length) = (String::new(), String::new(), 0);
    while lines.read_line(&mut line).unwrap_or_default() > 2 {
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap().to_owned();
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    drop(lines.read_exact(&mut vec![0; length]));
    let connection = path.rsplit('/').next().unwrap().to_owned();
    let nth = {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(connection).or_default();
        *count += 1;
        *count - 1
    };
    match script[nth.min(script.len() - 1)] {
        Response::Status(status, kind) => {
            let kind = kind.map(|kind| format!("x-amzn-errortype: {kind}\r\n")).unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status} x\r\n{kind}content-length: 2\r\nconnection: close\r\n\r\n{{}}"
            );
            drop(lines.get_mut().write_all(head.as_bytes()));
        }
        Response::Disconnect => {}
        Response::Silence => {
            // Wait until the caller hangs up.
            drop(lines.read_line(&mut line));
        }
    }
}

#[tokio::test]
async fn throttles_server_errors_and_broken_connections_are_retried() {
    let script = &[
        THROTTLED,
        UNTYPED,
        Response::Status(500, None),
        Response::Status(503, None),
        Response::Disconnect,
        DONE,
    ];
    let gateway = Gateway::new(script);
    assert_eq!(
        gateway.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap(),
        PostOutcome::Delivered
    );
    assert_eq!(gateway.requests("c"), script.len());
    let gateway = Gateway::new(&[THROTTLED, UNTYPED, DONE]);
    gateway.client(TimeoutPolicy::Usual).close("c").await.unwrap();
    assert_eq!(gateway.requests("c"), 3);
}

#[tokio::test]
async fn a_post_without_a_response_is_retried_until_the_time_is_up() {
    let gateway = Gateway::new(&[Response::Silence, DONE]);
    assert_eq!(
        gateway.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap(),
        PostOutcome::Delivered
    );
    assert_eq!(gateway.requests("c"), 2);
    let error = gateway.client(TimeoutPolicy::Short).post("d", b"{}").await.unwrap_err();
    assert!(cause(&error).contains("no response"), "{}", cause(&error));
    assert_eq!(gateway.requests("d"), 1);
}

#[tokio::test]
async fn a_persistent_throttle_fails_after_the_time_limit_and_is_named() {
    let gateway = Gateway::new(&[THROTTLED]);
    let error = gateway.client(TimeoutPolicy::Short).post("c", b"{}").await.unwrap_err();
    assert!(cause(&error).contains("LimitExceededException"), "{}", cause(&error));
    assert!(gateway.requests("c") > 1);
}

#[tokio::test]
async fn final_responses_are_not_retried() {
    let gone = Gateway::new(&[Response::Status(410, Some("GoneException"))]);
    assert_eq!(
        gone.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap(),
        PostOutcome::Gone
    );
    gone.client(TimeoutPolicy::Usual).close("c").await.unwrap();
    assert_eq!(gone.requests("c"), 2);
    let forbidden = Gateway::new(&[Response::Status(403, Some("ForbiddenException"))]);
    let error = forbidden.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap_err();
    assert!(cause(&error).contains("ForbiddenException"), "{}", cause(&error));
    assert!(forbidden.client(TimeoutPolicy::Usual).close("c").await.is_err());
    assert_eq!(forbidden.requests("c"), 2);
}

/// Together, these posts are retried more often than the SDK's shared retry budget would allow.
#[tokio::test]
async fn hundreds_of_throttled_posts_all_get_through() {
    let gateway = Gateway::new(&[UNTYPED, THROTTLED, UNTYPED, THROTTLED, DONE]);
    let client = gateway.client(TimeoutPolicy::Long);
    let names: Vec<_> = (0..200).map(|n| format!("c{n}")).collect();
    let posted = join_all(names.iter().map(|name| client.post(name, b"{}"))).await;
    assert!(posted.into_iter().all(|posted| posted.unwrap() == PostOutcome::Delivered));
    assert!(names.iter().all(|name| gateway.requests(name) == 5));
}
