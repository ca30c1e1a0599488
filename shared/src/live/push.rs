//! The way to the sockets: API Gateway's `@connections`. One of the two things that a test may replace.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Config};
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use tokio::time::{Instant, sleep, timeout_at};

use crate::auth::random;
use crate::aws::Environment;
use crate::config::{ConfigError, required};
use crate::error::{Error, Result};

/// A post takes milliseconds. One that has taken this long is given up and tried again, if there is time left.
const ATTEMPT: Duration = Duration::from_millis(1500);
/// The longest wait before the first retry; it doubles with each, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait before any retry.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Reaches sockets by their connection ids.
pub trait Push: Send + Sync {
    /// Hands a frame over. It keeps the order of frames that are handed over one after the other.
    ///
    /// # Errors
    /// When it could not be handed over in time, after retries. It may arrive all the same.
    fn post(&self, connection: &str, frame: &[u8]) -> impl Future<Output = Result<Posted>> + Send;

    /// Closes a socket, after what was posted before. One that is gone is closed.
    fn close(&self, connection: &str) -> impl Future<Output = Result<()>> + Send;
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// The socket has it.
    Yes,
    /// There is no such socket any more.
    Gone,
}

/// How long one socket is tried, all retries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Half a second at most, since others are waiting; less while posts are quick ([`Pulse`]).
    Short,
    /// Three seconds: nobody waits but the socket's own client.
    Usual,
    /// Ten seconds: the last attempt before the socket is closed.
    Long,
}

impl Patience {
    const fn limit(self) -> Duration {
        match self {
            Self::Short => Duration::from_millis(500),
            Self::Usual => Duration::from_secs(3),
            Self::Long => Duration::from_secs(10),
        }
    }
}

/// API Gateway.
#[derive(Debug, Clone)]
pub struct ApiGateway {
    client: Client,
    patience: Patience,
    pulse: Arc<Pulse>,
}

/// How long posts take at the moment: what takes much longer than others is not worth the others' waiting. As TCP finds its retransmission
/// time-out (RFC 6298), it follows what is seen, and doubles when nothing is.
#[derive(Debug)]
struct Pulse {
    /// Of the posts of late, about the slowest; in microseconds.
    slowest: AtomicU64,
}

impl Pulse {
    const LEAST: Duration = Duration::from_millis(100);
    const MOST: Duration = Patience::Short.limit();
    /// A post is slow that takes so many times as long as others.
    const TIMES: u32 = 4;

    /// Knows of nothing yet, and so is patient.
    fn new() -> Self {
        Self { slowest: AtomicU64::new(micros(Self::MOST / Self::TIMES)) }
    }

    /// What is longer than this is slow.
    fn limit(&self) -> Duration {
        (Duration::from_micros(self.slowest.load(Relaxed)) * Self::TIMES).clamp(Self::LEAST, Self::MOST)
    }

    /// A post was answered after this time. What was slower before is forgotten by and by.
    fn answered(&self, after: Duration) {
        let before = self.slowest.load(Relaxed);
        self.note(micros(after).max(before / 8 * 7));
    }

    /// One was given up at the limit.
    fn given_up(&self) {
        self.note(micros(self.limit() * 2 / Self::TIMES));
    }

    fn note(&self, slowest: u64) {
        // Those who do this at the same time all know about the same.
        self.slowest.store(slowest.min(micros(Self::MOST / Self::TIMES)), Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl ApiGateway {
    /// From `PUSH_ENDPOINT` (`https://{api}.execute-api.{region}.amazonaws.com/{stage}`) and what Lambda sets.
    pub fn from_env(patience: Patience) -> std::result::Result<Self, ConfigError> {
        Ok(Self::new(Environment::read()?, required("PUSH_ENDPOINT")?, patience))
    }

    fn new(env: Environment, endpoint: String, patience: Patience) -> Self {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(Duration::from_secs(1)).operation_attempt_timeout(ATTEMPT);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(env.region)
            .credentials_provider(env.credentials)
            .http_client(env.http)
            .timeout_config(timeouts.build())
            // The SDK's retries stop when a budget is used up that all requests of the process share: a hundred of them during a throttle,
            // upon which healthy sockets would be closed. And a throttle without an error type is none to it.
            .retry_config(RetryConfig::disabled())
            .endpoint_url(endpoint);
        Self { client: Client::from_conf(config.build()), patience, pulse: Arc::new(Pulse::new()) }
    }

    /// How long a post may take now.
    fn limit(&self) -> Duration {
        if self.patience == Patience::Short { self.pulse.limit() } else { self.patience.limit() }
    }

    /// Sends a request until it is answered, or the time is over.
    async fn persist<T, E, Sent>(
        limit: Duration,
        send: impl Fn() -> Sent,
    ) -> Result<std::result::Result<T, SdkError<E>>>
    where
        E: std::error::Error + 'static,
        Sent: Future<Output = std::result::Result<T, SdkError<E>>>,
    {
        let until = Instant::now() + limit;
        let mut last = None;
        for retry in 0.. {
            match timeout_at(until, send()).await {
                Ok(Err(error)) if may_pass(&error) => last = Some(error),
                Ok(answer) => return Ok(answer),
                Err(_) => break,
            }
            let wait = jitter(retry)?;
            if Instant::now() + wait >= until {
                break;
            }
            sleep(wait).await;
        }
        let cause = last.map_or_else(|| "no answer".to_owned(), |error| DisplayErrorContext(&error).to_string());
        Err(Error::internal(format!("given up after {limit:?}: {cause}")))
    }
}

/// Whether the same request may succeed in a moment: throttles, by their status since not all have a type, and whatever happens on the way.
fn may_pass<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(e) => matches!(e.raw().status().as_u16(), 429 | 500..),
        SdkError::ResponseError(e) => matches!(e.raw().status().as_u16(), 429 | 500..),
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}

/// Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), so that those who were throttled together don't come back together.
fn jitter(retry: u32) -> Result<Duration> {
    let ceiling = FIRST_WAIT.saturating_mul(1 << retry.min(10)).min(LONGEST_WAIT);
    Ok(ceiling.mul_f64(f64::from(u16::from_be_bytes(random()?)) / f64::from(u16::MAX)))
}

impl Push for ApiGateway {
    async fn post(&self, connection: &str, frame: &[u8]) -> Result<Posted> {
        let post = self.client.post_to_connection().connection_id(connection).data(Blob::new(frame));
        let began = Instant::now();
        let posted =
            Self::persist(self.limit(), || post.clone().send()).await.inspect_err(|_| self.pulse.given_up())?;
        self.pulse.answered(began.elapsed());
        match posted {
            Ok(_) => Ok(Posted::Yes),
            Err(SdkError::ServiceError(e)) if matches!(e.err(), PostToConnectionError::GoneException(_)) => {
                Ok(Posted::Gone)
            }
            Err(error) => Err(Error::internal(DisplayErrorContext(&error).to_string())),
        }
    }

    /// Does not wait for the client, so it has no reason to take long.
    async fn close(&self, connection: &str) -> Result<()> {
        let delete = self.client.delete_connection().connection_id(connection);
        match Self::persist(Patience::Short.limit(), || delete.clone().send()).await? {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(e)) if matches!(e.err(), DeleteConnectionError::GoneException(_)) => Ok(()),
            Err(error) => Err(Error::internal(DisplayErrorContext(&error).to_string())),
        }
    }
}

/// Why something could not be pushed, for the log.
pub(super) fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
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

        fn client(&self, patience: Patience) -> ApiGateway {
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
                let head = format!("HTTP/1.1 {status} x\r\n{kind}content-length: 2\r\nconnection: close\r\n\r\n{{}}");
                drop(lines.get_mut().write_all(head.as_bytes()));
            }
            Answer::Breaks => {}
            Answer::None => {
                // Until the caller hangs up.
                drop(lines.read_line(&mut line));
            }
        }
    }

    #[test]
    fn others_are_waited_for_as_long_as_posts_take_and_no_longer() {
        let (pulse, ms) = (Pulse::new(), Duration::from_millis);
        assert_eq!(pulse.limit(), ms(500), "who knows nothing is patient");
        for _ in 0..30 {
            pulse.answered(ms(5));
        }
        assert_eq!(pulse.limit(), ms(100), "and no more so than needed once it knows");
        pulse.answered(ms(60));
        assert_eq!(pulse.limit(), ms(240));
        pulse.answered(ms(5));
        assert_eq!(pulse.limit(), ms(210), "what was slow is forgotten by and by");
        for expected in [420, 500, 500] {
            pulse.given_up();
            assert_eq!(pulse.limit(), ms(expected), "all of them may have become slow");
        }
        pulse.answered(ms(5));
        assert!(pulse.limit() < ms(500));
        pulse.answered(Duration::MAX);
        assert_eq!(pulse.limit(), ms(500));
        for _ in 0..40 {
            pulse.answered(ms(1));
        }
        assert_eq!(pulse.limit(), ms(100));
    }

    #[tokio::test]
    async fn throttles_and_what_breaks_on_the_way_are_tried_again() {
        let script = &[THROTTLED, UNTYPED, Answer::Status(500, None), Answer::Status(503, None), Answer::Breaks, DONE];
        let gateway = Gateway::new(script);
        assert_eq!(gateway.client(Patience::Usual).post("c", b"{}").await.unwrap(), Posted::Yes);
        assert_eq!(gateway.asked("c"), script.len());
        let gateway = Gateway::new(&[THROTTLED, UNTYPED, DONE]);
        gateway.client(Patience::Usual).close("c").await.unwrap();
        assert_eq!(gateway.asked("c"), 3);
    }

    #[tokio::test]
    async fn a_post_without_an_answer_is_tried_again_while_there_is_time() {
        let gateway = Gateway::new(&[Answer::None, DONE]);
        assert_eq!(gateway.client(Patience::Usual).post("c", b"{}").await.unwrap(), Posted::Yes);
        assert_eq!(gateway.asked("c"), 2);
        let error = gateway.client(Patience::Short).post("d", b"{}").await.unwrap_err();
        assert!(cause(&error).contains("no answer"), "{}", cause(&error));
        assert_eq!(gateway.asked("d"), 1);
    }

    #[tokio::test]
    async fn what_does_not_pass_ends_with_the_patience_and_says_why() {
        let gateway = Gateway::new(&[THROTTLED]);
        let error = gateway.client(Patience::Short).post("c", b"{}").await.unwrap_err();
        assert!(cause(&error).contains("LimitExceededException"), "{}", cause(&error));
        assert!(gateway.asked("c") > 1);
    }

    #[tokio::test]
    async fn an_answer_that_is_final_is_taken_as_such() {
        let gone = Gateway::new(&[Answer::Status(410, Some("GoneException"))]);
        assert_eq!(gone.client(Patience::Usual).post("c", b"{}").await.unwrap(), Posted::Gone);
        gone.client(Patience::Usual).close("c").await.unwrap();
        assert_eq!(gone.asked("c"), 2);
        let forbidden = Gateway::new(&[Answer::Status(403, Some("ForbiddenException"))]);
        let error = forbidden.client(Patience::Usual).post("c", b"{}").await.unwrap_err();
        assert!(cause(&error).contains("ForbiddenException"), "{}", cause(&error));
        assert!(forbidden.client(Patience::Usual).close("c").await.is_err());
        assert_eq!(forbidden.asked("c"), 2);
    }

    /// Together they retry more often than the budget would allow that the SDK's own retries share.
    #[tokio::test]
    async fn hundreds_that_are_throttled_at_once_all_get_through() {
        let gateway = Gateway::new(&[UNTYPED, THROTTLED, UNTYPED, THROTTLED, DONE]);
        let client = gateway.client(Patience::Long);
        let names: Vec<_> = (0..200).map(|n| format!("c{n}")).collect();
        let posted = join_all(names.iter().map(|name| client.post(name, b"{}"))).await;
        assert!(posted.into_iter().all(|posted| posted.unwrap() == Posted::Yes));
        assert!(names.iter().all(|name| gateway.asked(name) == 5));
    }
}
