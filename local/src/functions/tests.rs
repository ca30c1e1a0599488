//! Tests with real processes. They run `examples/echo.rs`, which `cargo test` builds.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::instance::{Instance, Outcome};
use super::settings::MAX_PAYLOAD;
use super::*;
use crate::invoke::FunctionError;

fn echo() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/echo");
    assert!(program.exists(), "build the example first: cargo build -p local --example echo");
    program
}

fn function() -> Function {
    Function {
        name: "echo".to_owned(),
        logical_id: "Echo".to_owned(),
        code_uri: String::new(),
        binary: None,
        function_name: "echo-deployed".to_owned(),
        arn: "arn:aws:lambda:eu-central-1:000000000000:function:echo-deployed".to_owned(),
        handler: "bootstrap".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(20),
        memory_mb: 128,
        reserved_concurrency: None,
        policy: Vec::new(),
        streams: Vec::new(),
        schedules: Vec::new(),
    }
}

fn launch() -> Launch {
    let env = [
        ("AWS_LAMBDA_FUNCTION_NAME", "echo-deployed"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("TABLE", "orders"),
    ];
    Launch {
        program: echo(),
        args: Vec::new(),
        env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

fn start_echo_with(change: impl FnOnce(&mut Function, &mut Launch, &mut Settings)) -> Functions {
    let (mut function, mut launch, mut settings) = (function(), launch(), Settings::default());
    change(&mut function, &mut launch, &mut settings);
    Functions::new([(function, launch)], settings, Log::default())
}

fn start_echo() -> Functions {
    start_echo_with(|_, _, _| {})
}

async fn invoke(
    functions: &Functions,
    event: Value,
) -> Result<(Value, Option<FunctionError>), InvokeError> {
    let invocation = functions.invoke("echo", event.to_string().into()).await?;
    Ok((serde_json::from_slice(&invocation.payload).unwrap(), invocation.error))
}

async fn reply(functions: &Functions, event: Value) -> Value {
    let (reply, error) = invoke(functions, event).await.unwrap();
    assert_eq!(error, None, "{reply}");
    reply
}

async fn error(functions: &Functions, event: Value) -> (Value, FunctionError) {
    let (reply, error) = invoke(functions, event).await.unwrap();
    (reply.clone(), error.unwrap_or_else(|| panic!("no error: {reply}")))
}

fn is_running(pid: &Value) -> bool {
    // A zombie counts as running: the cloud should have reaped it.
    PathBuf::from(format!("/proc/{pid}")).exists()
}

async fn kill_9(pid: &Value) {
    let mut kill = tokio::process::Command::new("kill");
    assert!(kill.args(["-9", &pid.to_string()]).status().await.unwrap().success());
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_function_gets_its_event_context_and_only_its_own_environment() {
    let functions = start_echo();
    let reply = reply(&functions, json!({ "hello": "world" })).await;
    assert_eq!(reply["event"], json!({ "hello": "world" }));
    assert_eq!(reply["arn"], function().arn);
    assert_eq!(reply["request_id"].as_str().unwrap().len(), 36);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let left = u128::from(reply["deadline"].as_u64().unwrap()) - now;
    assert!((5_000..=20_000).contains(&left), "{left} ms until the deadline");
    let names: Vec<_> = reply["environment"].as_object().unwrap().keys().cloned().collect();
    let lambda = "AWS_LAMBDA_FUNCTION_";
    let expected = [
        &format!("{lambda}MEMORY_SIZE"),
        &format!("{lambda}NAME"),
        &format!("{lambda}VERSION"),
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "TABLE",
        // Set by the Rust runtime itself, from the header.
        "_X_AMZN_TRACE_ID",
    ];
    assert_eq!(names, expected);
    functions.stop().await;
}

#[tokio::test]
async fn sequential_calls_reuse_one_process() {
    let functions = start_echo();
    let mut pids = BTreeSet::new();
    for _ in 0..20 {
        pids.insert(reply(&functions, json!({})).await["pid"].to_string());
    }
    assert_eq!(pids.len(), 1);
    functions.stop().await;
}

#[tokio::test]
async fn concurrent_calls_get_a_process_each_and_reuse_them() {
    let functions = start_echo();
    let at_once = async || {
        let calls = (0..4).map(|_| reply(&functions, json!({ "sleep_ms": 1500 })));
        let replies = futures::future::join_all(calls).await;
        replies.iter().map(|reply| reply["pid"].to_string()).collect::<BTreeSet<_>>()
    };
    let first = at_once().await;
    assert_eq!(first.len(), 4);
    assert_eq!(at_once().await, first);
    functions.stop().await;
}

#[tokio::test]
async fn calls_queue_for_an_instance_and_are_throttled_after_the_queue_wait() {
    let functions = start_echo_with(|_, _, settings| settings.max_instances = 1);
    let (a, b) =
        tokio::join!(reply(&functions, json!({ "sleep_ms": 200 })), reply(&functions, json!({})));
    assert_eq!(a["pid"], b["pid"]);
    functions.stop().await;

    let functions = start_echo_with(|_, _, settings| {
        settings.max_instances = 1;
        settings.queue_wait = Duration::from_millis(100);
    });
    let (slow, second) = tokio::join!(
        biased; reply(&functions, json!({ "sleep_ms": 2000 })), invoke(&functions, json!({})));
    assert_eq!(slow["event"]["sleep_ms"], 2000);
    assert!(matches!(second, Err(InvokeError::Throttled(_))), "{second:?}");
    functions.stop().await;
}

#[tokio::test]
async fn reserved_concurrency_throttles_without_a_queue() {
    let functions = start_echo_with(|function, _, _| function.reserved_concurrency = Some(1));
    let (_, second) = tokio::join!(
        biased; reply(&functions, json!({ "sleep_ms": 500 })), invoke(&functions, json!({})));
    assert!(matches!(second, Err(InvokeError::Throttled(_))), "{second:?}");
    reply(&functions, json!({})).await;
    functions.stop().await;
}

#[tokio::test]
async fn an_idle_instance_is_evicted_for_another_function() {
    let mut other = function();
    other.name = "other".to_owned();
    let settings = Settings { max_instances: 1, ..Settings::default() };
    let functions =
        Functions::new([(function(), launch()), (other, launch())], settings, Log::default());
    let first = reply(&functions, json!({})).await;
    functions.warm("other").await.unwrap();
    assert!(!is_running(&first["pid"]));
    functions.stop().await;
}

#[tokio::test]
async fn a_function_that_times_out_is_killed_and_the_next_call_succeeds() {
    let functions = start_echo_with(|function, _, _| function.timeout = Duration::from_secs(1));
    let first = reply(&functions, json!({})).await;
    let (payload, kind) = error(&functions, json!({ "sleep_ms": 60_000 })).await;
    assert_eq!(kind, FunctionError::TimedOut);
    assert_eq!(payload["errorType"], "Sandbox.Timedout");
    assert!(
        payload["errorMessage"].as_str().unwrap().ends_with("Task timed out after 1.00 seconds"),
        "{payload}"
    );
    assert!(!is_running(&first["pid"]));
    assert_ne!(reply(&functions, json!({})).await["pid"], first["pid"]);
    functions.stop().await;
}

#[tokio::test]
async fn kill_9_during_a_request_fails_only_that_request_and_at_once() {
    let functions = start_echo();
    let pid = reply(&functions, json!({})).await["pid"].clone();
    let start = std::time::Instant::now();
    let kill = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        kill_9(&pid).await;
    };
    let ((payload, kind), _) = tokio::join!(error(&functions, json!({ "sleep_ms": 15_000 })), kill);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(
        (kind, payload["errorType"].as_str()),
        (FunctionError::Unhandled, Some("Runtime.ExitError"))
    );
    assert!(
        payload["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with("Runtime exited with error: signal: killed"),
        "{payload}"
    );
    assert_ne!(reply(&functions, json!({})).await["pid"], pid);
    functions.stop().await;
}

#[tokio::test]
async fn an_exit_a_panic_and_an_error_have_different_messages() {
    let functions = start_echo();
    let (payload, _) = error(&functions, json!({ "exit": 3 })).await;
    assert!(
        payload["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with("Runtime exited with error: exit status 3"),
        "{payload}"
    );
    // The Rust runtime catches a panic, so the process goes on.
    let pid = reply(&functions, json!({})).await["pid"].clone();
    let (payload, kind) = error(&functions, json!({ "panic": true })).await;
    assert_eq!(kind, FunctionError::Unhandled);
    assert!(
        payload["errorMessage"].as_str().unwrap().contains("the event requested a panic"),
        "{payload}"
    );
    let (payload, _) = error(&functions, json!({ "fail": "no such order" })).await;
    assert_eq!(payload["errorMessage"], "no such order");
    assert_eq!(reply(&functions, json!({})).await["pid"], pid);
    functions.stop().await;
}

#[tokio::test]
async fn an_event_for_a_process_that_died_while_idle_goes_to_another_process() {
    let functions = start_echo();
    let pid = reply(&functions, json!({ "die_when_idle": true })).await["pid"].clone();
    // The process stays a zombie until the pool checks on it.
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat"));
    until("the process ends", || stat().is_ok_and(|stat| stat.contains(") Z "))).await;
    assert_ne!(reply(&functions, json!({})).await["pid"], pid);
    functions.stop().await;
}

#[tokio::test]
async fn a_dead_process_reports_that_it_has_not_taken_the_event() {
    let event = || runtime_api::Event {
        request_id: "id".to_owned(),
        function_arn: String::new(),
        timeout: Duration::from_secs(20),
        payload: Bytes::from_static(b"{}"),
    };
    let (log, launch, stop) = (Log::default(), launch(), CancellationToken::new());
    let group = super::group::Group::new(&log);
    let start =
        Instance::start(function().into(), 0, &launch, &group, Duration::from_secs(10), stop, &log);
    let mut instance = start.await.unwrap();
    let Outcome::Answered(first) = instance.invoke(event()).await else { panic!("no answer") };
    assert!(instance.wait_until_ready(tokio::time::Instant::now() + Duration::from_secs(10)).await);
    let reply: Value = serde_json::from_slice(&first.payload).unwrap();
    kill_9(&reply["pid"]).await;
    // Gives the server time to notice that the process's connection is gone.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(matches!(instance.invoke(event()).await, Outcome::NotTaken));
}

#[tokio::test]
async fn a_function_that_exceeds_its_memory_size_is_killed() {
    let functions = start_echo();
    let (payload, kind) = error(&functions, json!({ "allocate_mb": 200 })).await;
    assert_eq!(
        (kind, payload["errorType"].as_str()),
        (FunctionError::Unhandled, Some("Runtime.OutOfMemory"))
    );
    functions.stop().await;
}

#[tokio::test]
async fn the_error_for_a_crash_at_init_has_the_function_and_its_last_lines() {
    let functions = start_echo_with(|_, launch, _| {
        drop(launch.env.insert("ECHO_INIT".to_owned(), "crash".to_owned()))
    });
    let Err(InvokeError::Unavailable(text)) = functions.warm("echo").await else {
        panic!("it started")
    };
    assert_eq!(text, "echo crashed at init (exit status 7): ECHO_TABLE is not set");
    functions.stop().await;

    let functions = start_echo_with(|_, launch, _| launch.program = "/no/such/program".into());
    let Err(InvokeError::Unavailable(text)) = invoke(&functions, json!({})).await else {
        panic!("it started")
    };
    assert!(text.starts_with("echo cannot be started: /no/such/program: No such file"), "{text}");
}

#[tokio::test]
async fn init_has_its_own_timeout() {
    let functions = start_echo_with(|_, launch, settings| {
        launch.env.insert("ECHO_INIT".to_owned(), "hang".to_owned());
        settings.init_timeout = Duration::from_millis(500);
    });
    let Err(InvokeError::Unavailable(text)) = functions.warm("echo").await else {
        panic!("it started")
    };
    assert_eq!(text, "echo was not ready within 0.5 s of its start");
}

#[tokio::test]
async fn events_and_replies_over_6_mb_are_rejected() {
    let functions = start_echo();
    let limit = MAX_PAYLOAD as u64 - 2;
    assert_eq!(
        reply(&functions, json!({ "reply_bytes": limit })).await.as_str().unwrap().len() as u64,
        limit
    );
    let (payload, _) = error(&functions, json!({ "reply_bytes": limit + 1 })).await;
    assert_eq!(payload["errorType"], "Function.ResponseSizeTooLarge");
    let large = functions.invoke("echo", vec![b' '; MAX_PAYLOAD + 1].into()).await;
    assert!(matches!(large, Err(InvokeError::TooLarge(_))), "{large:?}");
    functions.stop().await;
}

#[tokio::test]
async fn idle_instances_are_reaped() {
    let functions =
        start_echo_with(|_, _, settings| settings.idle_timeout = Duration::from_millis(100));
    let pid = reply(&functions, json!({})).await["pid"].clone();
    until("the idle process ends", || !is_running(&pid)).await;
    functions.stop().await;
}

#[tokio::test]
async fn stop_leaves_no_process_and_rejects_later_calls() {
    let functions = start_echo();
    let busy_pid = reply(&functions, json!({})).await["pid"].clone();
    let mut busy = tokio::spawn({
        let functions = functions.clone();
        async move { invoke(&functions, json!({ "sleep_ms": 15_000 })).await }
    });
    let wait = tokio::time::timeout(Duration::from_millis(300), &mut busy);
    assert!(wait.await.is_err(), "it did not sleep");
    let idle_pid = reply(&functions, json!({})).await["pid"].clone();
    assert_ne!(busy_pid, idle_pid);
    functions.stop().await;
    assert!(!is_running(&idle_pid) && !is_running(&busy_pid));
    let busy = busy.await.unwrap();
    assert!(matches!(busy, Err(InvokeError::Unavailable(_))), "{busy:?}");
    let later = invoke(&functions, json!({})).await;
    assert!(matches!(later, Err(InvokeError::Unavailable(_))), "{later:?}");
}

#[tokio::test]
async fn an_unknown_function_is_not_found() {
    let missing = start_echo().invoke("missing", Bytes::new()).await;
    assert!(matches!(missing, Err(InvokeError::NotFound(_))), "{missing:?}");
}
