use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::Credentials;
use serde_json::{Value, json};

use super::cached::{CachedSecret, FromSecret, PAUSE};
use super::client::{Client, SecretText, longest_read};
use super::json::Members;
use crate::aws::Access;

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/jwt-local0";

/// A Secrets Manager that gives these answers in turn, and repeats the last.
struct Service {
    url: String,
    /// Each request's headers and body.
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Service {
    fn start(mut answers: Vec<(u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut head).unwrap() == 0 {
                        break;
                    }
                }
                let head = head.to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1).unwrap_or("0");
                let length = length.lines().next().unwrap().parse().unwrap();
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                seen.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap()));
                let (status, answer) = match answers.len() {
                    1 => answers[0].clone(),
                    _ => answers.remove(0),
                };
                let answer = answer.to_string();
                write!(
                    stream.get_mut(),
                    "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                    answer.len()
                )
                .unwrap();
            }
        });
        Self { url, requests }
    }

    fn secret(&self) -> CachedSecret<Key> {
        CachedSecret::of(client(&self.url))
    }

    fn calls(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn client(url: &str) -> Client {
    let credentials = Credentials::new("AKIATEST", "key", None, None, "test");
    let access = Access { region: "us-east-1".to_owned(), credentials };
    Client::new(SECRET.to_owned(), access, url).unwrap()
}

/// The member `key` of the secret, and of its previous version.
#[derive(Debug, PartialEq)]
struct Key(String, Option<String>);

impl FromSecret for Key {
    const VARIABLE: &'static str = "KEY_SECRET";
    const ACCEPTS_PREVIOUS: bool = true;

    fn parse(text: &SecretText) -> Result<Self, String> {
        let key = |text: &str| Members::parse(text)?.text("key").map(str::to_owned);
        Ok(Self(key(&text.current)?, text.previous.as_deref().map(key).transpose()?))
    }
}

fn found(key: &str) -> (u16, Value) {
    (200, json!({"SecretString": json!({"key": key}).to_string()}))
}

fn refused(status: u16, kind: &str) -> (u16, Value) {
    (status, json!({"__type": kind, "Message": "canary"}))
}

#[test]
fn a_read_with_all_its_retries_fits_into_the_init_phase() {
    assert!(longest_read() < Duration::from_secs(9), "Lambda ends INIT after 10 s");
}

#[tokio::test]
async fn a_read_is_one_signed_request() {
    let service = Service::start(vec![found("a")]);
    let secret = service.secret();
    secret.load().await.unwrap();
    assert_eq!(*secret.current(), Key("a".into(), None));
    let requests = service.requests.lock().unwrap();
    let [(head, body)] = requests.as_slice() else { panic!("{requests:?}") };
    for expected in [
        "post / http/1.1",
        "x-amz-target: secretsmanager.getsecretvalue",
        "content-type: application/x-amz-json-1.1",
        "aws4-hmac-sha256 credential=akiatest/",
        "/us-east-1/secretsmanager/aws4_request, signedheaders=content-type;host;x-amz-date;x-amz-target",
    ] {
        assert!(head.contains(expected), "no {expected} in {head}");
    }
    assert_eq!(*body, json!({"SecretId": SECRET, "VersionStage": "AWSCURRENT"}));
}

#[tokio::test]
async fn throttling_and_outages_are_waited_for() {
    let failures =
        vec![refused(400, "ThrottlingException"), refused(500, "InternalServiceError"), found("a")];
    let service = Service::start(failures);
    let secret = service.secret();
    secret.load().await.unwrap();
    assert_eq!((secret.current().0.as_str(), service.calls()), ("a", 3));
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_or_used_is_named_with_the_reason_and_without_its_value() {
    let text = |text: &str| (200, json!({ "SecretString": text }));
    for (answer, reason, calls) in [
        (refused(400, "AccessDeniedException"), "secretsmanager:GetSecretValue", 1),
        (refused(400, "ResourceNotFoundException"), "put-secret-value", 1),
        (refused(400, "DecryptionFailure"), "DecryptionFailure", 1),
        (refused(503, "ServiceUnavailable"), "503", 4),
        (text("canary"), "is not a JSON object", 1),
        (text(r#"{"kye": "canary"}"#), "has no member `key` that is text", 1),
        ((200, json!({"SecretBinary": "canary"})), "has no text", 1),
    ] {
        let service = Service::start(vec![answer]);
        let error = service.secret().load().await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("the secret {SECRET} ")), "{error}");
        assert!(error.contains(reason) && !error.contains("canary"), "{error}");
        assert_eq!(service.calls(), calls, "{error}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let secret = CachedSecret::<Key>::of(client(&format!("http://{closed}")));
    let error = secret.load().await.unwrap_err().to_string();
    assert!(error.contains("can't be reached"), "{error}");
}

#[tokio::test]
async fn a_secret_is_read_again_with_its_previous_version_at_most_once_a_minute() {
    let missing = refused(400, "ResourceNotFoundException");
    let service = Service::start(vec![found("a"), found("b"), found("b"), missing]);
    let secret = service.secret();
    secret.load().await.unwrap();
    assert_eq!(*secret.read_again().await.unwrap(), Key("b".into(), Some("b".into())));
    assert_eq!(service.calls(), 3);
    assert!(secret.read_again().await.is_none(), "the limit");
    assert_eq!(service.calls(), 3);
    // A read that fails leaves the last value in use.
    secret.state().read_again = Instant::now().checked_sub(PAUSE);
    assert!(secret.read_again().await.is_none());
    assert_eq!(secret.current().0, "b");
}

#[tokio::test]
async fn a_key_that_nobody_refuses_is_at_most_a_minute_old() {
    let service = Service::start(vec![found("a"), found("b")]);
    let secret = service.secret();
    secret.load().await.unwrap();
    assert_eq!(secret.recent().await.0, "a");
    secret.state().read = Instant::now().checked_sub(PAUSE).unwrap();
    assert_eq!(secret.recent().await.0, "b");
    assert_eq!(secret.recent().await.0, "b");
    assert_eq!(service.calls(), 3, "both versions, once");
}
