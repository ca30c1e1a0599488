//! Local clouds, each a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Client, eventually};

/// A running local cloud. It ends when its standard input closes: with this value, or with the test
/// process, however that ends.
pub struct Cloud {
    pub ready: Ready,
    /// Where it writes its log.
    pub log: PathBuf,
    child: Child,
    stdin: Option<ChildStdin>,
}

/// The line that `--json` prints.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    pub http: String,
    pub ws: String,
    pub dynamodb: String,
    /// None when the functions talk to Stripe itself.
    pub stripe: Option<String>,
    pub invoke: String,
    pub webhook_secret: Option<String>,
    pub functions: Vec<String>,
}

/// The cloud that the tests of this run share. `LOCAL_FLAGS` gives it further flags, such as
/// `--dynamodb http://localhost:8010`.
pub fn cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| {
        let further = std::env::var("LOCAL_FLAGS").unwrap_or_default();
        let flags: Vec<&str> =
            std::iter::once("--ephemeral").chain(further.split_whitespace()).collect();
        Cloud::start("shared", &flags)
    })
}

/// The cloud and the functions are built as this program is.
const OPTIMISED: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };

/// The workspace's folder.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Builds the local cloud and the multi-call binary, once a run.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "local",
                "--package",
                "lambdas",
                "--bin",
                "local",
                "--bin",
                "marketplace",
            ])
            .args(OPTIMISED)
            .current_dir(workspace())
            .status();
        assert!(built.expect("cargo starts").success(), "the local cloud does not build");
        // target/debug/deps/it-... is this process.
        let target = std::env::current_exe().expect("this process has a path");
        target.ancestors().nth(2).expect("target/debug").join("local")
    })
}

/// The program that contains every function, built as needed.
pub fn functions() -> PathBuf {
    binary().with_file_name("marketplace")
}

/// A local cloud that did not come up.
#[derive(Debug)]
pub struct Failed {
    pub status: ExitStatus,
    /// All that it wrote to its standard error.
    pub log: String,
}

impl Cloud {
    /// Starts one on free ports, with these further flags: `&["--ephemeral", "--env",
    /// "NAME=VALUE"]`. Its log goes to `target/tests/<name>.log`.
    pub fn start(name: &str, flags: &[&str]) -> Self {
        let any: &[&str] = if flags.contains(&"--http-port") {
            &[]
        } else {
            &["--http-port", "0", "--ws-port", "0"]
        };
        Self::run(name, &[any, OPTIMISED, &["--no-build"], flags].concat())
            .unwrap_or_else(|failed| panic!("the local cloud {name} did not start: {}", failed.log))
    }

    /// As [`Cloud::start`], with these flags only.
    pub fn run(name: &str, flags: &[&str]) -> Result<Self, Failed> {
        let logs = workspace().join("target/tests");
        std::fs::create_dir_all(&logs).expect("target can be written");
        let log = logs.join(format!("{name}.log"));
        let mut child = Command::new(binary())
            .args(["--json", "--exit-with-stdin"])
            .args(flags)
            .current_dir(workspace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).expect("the log can be written"))
            .spawn()
            .expect("the local cloud starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("stdout is text");
        match serde_json::from_str(&line) {
            Ok(ready) => Ok(Self { ready, log, child, stdin }),
            Err(_) => {
                let status = child.wait().expect("it ends");
                Err(Failed { status, log: std::fs::read_to_string(&log).expect("the log is text") })
            }
        }
    }

    /// What it has written to its log so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log is text")
    }

    /// Its function processes: process id and name of the function.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let mut processes = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("a Linux system").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A process may end while it is looked at.
            let read =
                |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap_or_default();
            let parent = read("stat")
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split(' ').nth(2)?.parse().ok());
            if parent == Some(self.child.id()) {
                let program = read("cmdline").split('\0').next().unwrap_or_default().to_owned();
                processes.push((pid, program.rsplit('/').next().unwrap_or_default().to_owned()));
            }
        }
        processes
    }

    /// Sends it this signal (`TERM`), waits for its end, and then for the end of every process that
    /// it had; its exit status.
    pub async fn end(mut self, name: &str) -> ExitStatus {
        let processes = self.processes();
        assert!(processes.len() >= self.ready.functions.len(), "{processes:?}");
        assert!(signal(self.child.id(), name), "it has ended by itself");
        let status = self.child.wait().expect("it ends");
        for (pid, function) in processes {
            // Another process may have got the number by now.
            let program =
                || std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            eventually(&format!("{function} ends"), async || {
                let runs = program().split('\0').any(|word| word.ends_with(&function));
                (!runs).then_some(())
            })
            .await;
        }
        status
    }

    /// An HTTP client of its API.
    pub fn client(&self) -> Client {
        Client::new(&self.ready.http)
    }

    /// An HTTP client of its Stripe stand-in.
    pub fn stripe(&self) -> Client {
        Client::new(self.ready.stripe.as_deref().expect("the stand-in runs"))
    }

    /// Kills so many processes of a function as a crash would; how many there were.
    pub fn kill_function(&self, name: &str, most: usize) -> usize {
        let processes = self.processes().into_iter().filter(|(_, function)| function == name);
        processes.take(most).filter(|(pid, _)| signal(*pid, "KILL")).count()
    }

    /// Asks its DynamoDB, as a developer would who has every permission.
    pub async fn dynamodb(&self, operation: &str, body: Value) -> Value {
        let credential = "AWS4-HMAC-SHA256 Credential=developer/20260101/local/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0";
        Client::new(&self.ready.dynamodb)
            .with("x-amz-target", &format!("DynamoDB_20120810.{operation}"))
            .with("authorization", credential)
            .with("x-amz-date", "20260101T000000Z")
            .send(http::Method::POST, "/", "application/x-amz-json-1.0", body.to_string().into())
            .await
            .expect(200)
    }

    /// The name of the table that holds everything but sockets.
    pub async fn table(&self) -> String {
        let tables = self.dynamodb("ListTables", serde_json::json!({})).await;
        let mut names =
            tables["TableNames"].as_array().expect("tables").iter().filter_map(Value::as_str);
        names.find(|name| name.contains("Marketplace")).expect("the table").to_owned()
    }

    /// Invokes a function as `aws lambda invoke` does; its reply.
    pub async fn invoke(&self, function: &str, event: Value) -> Value {
        let answer = self.try_invoke(function, event).await;
        assert_eq!(answer.header("x-amz-function-error"), None, "{function}: {:#}", answer.body);
        answer.expect(200)
    }

    /// The Invoke API's answer: an error of the function has status 200 and the header
    /// `x-amz-function-error`.
    pub async fn try_invoke(&self, function: &str, event: Value) -> Answer {
        Client::new(&self.ready.invoke)
            .post(&format!("/2015-03-31/functions/{function}/invocations"), event)
            .await
    }
}

/// Sends a process a signal (`KILL`); false when there is no such process.
fn signal(pid: u32, name: &str) -> bool {
    // Rust's standard library knows one signal only.
    Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status()
        .expect("kill starts")
        .success()
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Its exit code is looked at by the tests that care.
        drop(self.child.wait());
    }
}
