use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_sdk_apigatewaymanagement::config::{Credentials, Region};
use futures::future::join_all;

use super::*;
use crate::aws::http_client;

/// What the n-th request for a connection is answered with; the last of them from then on.
type Script = &'static [Answer];

#[derive(Clone, Copy)]
enum Answer {
    /// A status and, if it has one, the type of the error.
    Status(u16, Option<&'static str>),
    /// The connection breaks.
    Breaks,
    /// There is none.
    None,
}

const DONE: Answer = Answer::Status(200, None);
const THROTTLED: Answer = Answer::Status(429, Some("LimitExceededException"));
/// What the gateway in front of `@connections` says.
const UNTYPED: Answer = Answer::Status(429, None);

/// `@connections`, played from a script. How often it was asked, by connection.
struct Gateway {
    endpoint: String,
    asked: Arc<Mutex<HashMap<String, usize>>>,
}

impl Gateway {
    fn new(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<HashMap<String, usize>>>::default();
        let counts = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let counts = Arc::clone(&counts);
                std::thread::spawn(move || serve(stream.unwrap(), script, &counts));
            }
        });
        Self { endpoint, asked }
    }

    fn client(&self, patience: TimeoutPolicy) -> ApiGateway {
        let env = Environment {
            region: Region::new("eu-west-1"),
            credentials: Credentials::new("AKID", "secret", None, None, "test"),
            http: http_client().unwrap(),
            timeouts: TimeoutConfig::disabled(),
            retries: RetryConfig::disabled(),
        };
        ApiGateway::new(env, self.endpoint.clone(), patience)
    }

    fn asked(&self, connection: &str) -> usize {
        self.asked.lock().unwrap().get(connection).copied().unwrap_or_default()
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
        Answer::Status(status, kind) => {
            let kind = kind.map(|kind| format!("x-amzn-errortype: {kind}\r\n")).unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status} x\r\n{kind}content-length: 2\r\nconnection: close\r\n\r\n{{}}"
            );
            drop(lines.get_mut().write_all(head.as_bytes()));
        }
        Answer::Breaks => {}
        Answer::None => {
            // Until the caller hangs up.
            drop(lines.read_line(&mut line));
        }
    }
}

#[tokio::test]
async fn throttles_and_what_breaks_on_the_way_are_tried_again() {
    let script = &[
        THROTTLED,
        UNTYPED,
        Answer::Status(500, None),
        Answer::Status(503, None),
        Answer::Breaks,
        DONE,
    ];
    let gateway = Gateway::new(script);
    assert_eq!(gateway.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap(), Posted::Yes);
    assert_eq!(gateway.asked("c"), script.len());
    let gateway = Gateway::new(&[THROTTLED, UNTYPED, DONE]);
    gateway.client(TimeoutPolicy::Usual).close("c").await.unwrap();
    assert_eq!(gateway.asked("c"), 3);
}

#[tokio::test]
async fn a_post_without_an_answer_is_tried_again_while_there_is_time() {
    let gateway = Gateway::new(&[Answer::None, DONE]);
    assert_eq!(gateway.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap(), Posted::Yes);
    assert_eq!(gateway.asked("c"), 2);
    let error = gateway.client(TimeoutPolicy::Short).post("d", b"{}").await.unwrap_err();
    assert!(cause(&error).contains("no answer"), "{}", cause(&error));
    assert_eq!(gateway.asked("d"), 1);
}

#[tokio::test]
async fn what_does_not_pass_ends_with_the_patience_and_says_why() {
    let gateway = Gateway::new(&[THROTTLED]);
    let error = gateway.client(TimeoutPolicy::Short).post("c", b"{}").await.unwrap_err();
    assert!(cause(&error).contains("LimitExceededException"), "{}", cause(&error));
    assert!(gateway.asked("c") > 1);
}

#[tokio::test]
async fn an_answer_that_is_final_is_taken_as_such() {
    let gone = Gateway::new(&[Answer::Status(410, Some("GoneException"))]);
    assert_eq!(gone.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap(), Posted::Gone);
    gone.client(TimeoutPolicy::Usual).close("c").await.unwrap();
    assert_eq!(gone.asked("c"), 2);
    let forbidden = Gateway::new(&[Answer::Status(403, Some("ForbiddenException"))]);
    let error = forbidden.client(TimeoutPolicy::Usual).post("c", b"{}").await.unwrap_err();
    assert!(cause(&error).contains("ForbiddenException"), "{}", cause(&error));
    assert!(forbidden.client(TimeoutPolicy::Usual).close("c").await.is_err());
    assert_eq!(forbidden.asked("c"), 2);
}

/// Together they retry more often than the budget would allow that the SDK's own retries share.
#[tokio::test]
async fn hundreds_that_are_throttled_at_once_all_get_through() {
    let gateway = Gateway::new(&[UNTYPED, THROTTLED, UNTYPED, THROTTLED, DONE]);
    let client = gateway.client(TimeoutPolicy::Long);
    let names: Vec<_> = (0..200).map(|n| format!("c{n}")).collect();
    let posted = join_all(names.iter().map(|name| client.post(name, b"{}"))).await;
    assert!(posted.into_iter().all(|posted| posted.unwrap() == Posted::Yes));
    assert!(names.iter().all(|name| gateway.asked(name) == 5));
}
