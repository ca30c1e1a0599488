//! The local cloud replaces functions whose code changes. These tests use their own project, which
//! they write to a folder below `target/`.

use std::path::{Path, PathBuf};

use futures::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Cloud, eventually, workspace};

const MANIFEST: &str = r#"
[package]
name = "shop"
version = "0.1.0"
edition = "2024"

[[bin]]
name = "answer"
path = "src/main.rs"

[workspace]
"#;

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Answer:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/answer/
      Handler: bootstrap
      Runtime: provided.al2023
      Timeout: 60
      Events:
        Answer: {Type: HttpApi, Properties: {Method: GET, Path: /answer}}
        Wait: {Type: HttpApi, Properties: {Method: GET, Path: /wait}}
  Sockets:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      StageName: live
      Routes:
        $connect: {FunctionArn: !GetAtt Answer.Arn}
"#;

/// Answers `ANSWER`. For `/wait` it first creates a file named `begun` and waits for one named
/// `go`. It implements the Runtime API with the standard library alone, so it builds in a second.
const CODE: &str = r##"
use std::io::{Read, Write};

fn main() {
    loop {
        let next = call("GET", "next", "");
        let header = "lambda-runtime-aws-request-id: ";
        let id = next.lines().find_map(|line| line.strip_prefix(header)).unwrap();
        if next.contains("GET /wait") {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/target/begun"), "").unwrap();
            while !std::fs::exists(concat!(env!("CARGO_MANIFEST_DIR"), "/target/go")).unwrap() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        call("POST", &format!("{id}/response"), r#"{"statusCode": 200, "body": "ANSWER"}"#);
    }
}

fn call(method: &str, path: &str, body: &str) -> String {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut stream = std::net::TcpStream::connect(&api).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nhost: {api}\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
"##;

/// Writes a project that answers `first`, and returns its folder.
fn project(name: &str) -> PathBuf {
    let folder = workspace().join("target/tests").join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(folder.join("src")).unwrap();
    // Cargo does not create it if `CARGO_TARGET_DIR` names another folder.
    std::fs::create_dir_all(folder.join("target")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), MANIFEST).unwrap();
    std::fs::write(folder.join("template.yaml"), TEMPLATE).unwrap();
    save(&folder, "first");
    folder
}

/// Changes the project's code to this answer.
fn save(project: &Path, answer: &str) {
    std::fs::write(project.join("src/main.rs"), CODE.replace("ANSWER", answer)).unwrap();
}

fn start(project: &Path, flags: &[&str]) -> Cloud {
    let template = project.join("template.yaml");
    let template = template.to_str().unwrap();
    let usual = ["--http-port", "0", "--ws-port", "0", "--ephemeral", "--template", template];
    let name = project.file_name().unwrap().to_str().unwrap();
    Cloud::try_start(name, &[&usual[..], flags].concat())
        .unwrap_or_else(|failed| panic!("the local cloud did not start: {}", failed.log))
}

async fn answers(client: &Client, expected: &str) {
    eventually(&format!("the answer is {expected}"), async || {
        let answer = client.get("/answer").await;
        (answer.status == 200 && answer.body == expected).then_some(())
    })
    .await;
}

fn processes(cloud: &Cloud) -> usize {
    cloud.processes().iter().filter(|(_, program)| program == "answer").count()
}

async fn logs(cloud: &Cloud, expected: &str) {
    eventually(&format!("the log says {expected}"), async || {
        cloud.log_text().contains(expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn changed_code_is_served_without_a_restart_and_broken_code_leaves_the_old_functions() {
    let project = project("reload");
    let cloud = start(&project, &[]);
    let client = cloud.client();
    answers(&client, "first").await;
    let (mut socket, _) = tokio_tungstenite::connect_async(&cloud.ready.ws).await.unwrap();

    // An invocation in progress finishes with the code it started with.
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.get("/wait").await }
    });
    let files = project.join("target");
    eventually("the invocation begins", async || files.join("begun").exists().then_some(())).await;
    save(&project, "second");
    answers(&client, "second").await;
    assert!(!waiting.is_finished() && processes(&cloud) == 2);
    std::fs::write(files.join("go"), "").unwrap();
    assert_eq!(waiting.await.unwrap().body, "first");
    eventually("its process ends", async || (processes(&cloud) == 1).then_some(())).await;

    std::fs::write(project.join("src/main.rs"), "fn main() { broken() }").unwrap();
    logs(&cloud, "cannot find function `broken`").await;
    logs(&cloud, "the old functions keep running").await;
    answers(&client, "second").await;

    save(&project, "third");
    answers(&client, "third").await;

    socket.send(Message::Ping("still there".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("still there".into()));

    std::fs::write(project.join("local.env"), "").unwrap();
    logs(&cloud, "local.env changed: restart to apply it").await;
    assert!(cloud.stop("INT").await.success());
}

#[tokio::test]
async fn no_watch_keeps_the_functions_that_were_built_at_the_start() {
    let project = project("no-watch");
    let cloud = start(&project, &["--no-watch"]);
    answers(&cloud.client(), "first").await;
    save(&project, "second");
    // Nothing signals that a change was ignored. This wait is ten times as long as the local cloud
    // takes to notice a change.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(!cloud.log_text().contains("changed: building"));
    answers(&cloud.client(), "first").await;
}
