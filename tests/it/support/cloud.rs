//! Local clouds, each a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Client};

/// A running local cloud. It ends when its standard input closes: with this value, or with the test process, however that ends.
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

/// The cloud that the tests of this run share.
pub fn cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| Cloud::start("shared", &["--ephemeral"]))
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
                "functions",
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

impl Cloud {
    /// Starts one on free ports, with these further flags: `&["--ephemeral", "--env", "NAME=VALUE"]`. Its log goes to `target/tests/<name>.log`.
    pub fn start(name: &str, flags: &[&str]) -> Self {
        Self::command(name, flags).unwrap_or_else(|log| panic!("the local cloud did not start; its log is {log}"))
    }

    /// As [`Cloud::start`]; the path of the log if it does not come up.
    pub fn command(name: &str, flags: &[&str]) -> Result<Self, String> {
        let logs = workspace().join("target/tests");
        std::fs::create_dir_all(&logs).expect("target can be written");
        let log = logs.join(format!("{name}.log"));
        let any: &[&str] = if flags.contains(&"--http-port") { &[] } else { &["--http-port", "0", "--ws-port", "0"] };
        let mut child = Command::new(binary())
            .args(any)
            .args(OPTIMISED)
            .args(["--json", "--no-build", "--exit-with-stdin"])
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
            Err(_) => Err(log.display().to_string()),
        }
    }

    /// An HTTP client of its API.
    pub fn client(&self) -> Client {
        Client::new(&self.ready.http)
    }

    /// An HTTP client of its Stripe stand-in.
    pub fn stripe(&self) -> Client {
        Client::new(self.ready.stripe.as_deref().expect("the stand-in runs"))
    }

    /// Kills so many processes of a function as a crash would; how many there were. It knows them by what Linux tells: elsewhere it finds none.
    pub fn kill_function(&self, name: &str, most: usize) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        let children: Vec<_> =
            children.flat_map(|pids| pids.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
        let runs_it = |pid: &&String| {
            let started_as = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            Path::new(started_as.split('\0').next().unwrap_or_default()).ends_with(name)
        };
        let kill =
            |pid: &String| Command::new("kill").args(["-KILL", pid]).status().is_ok_and(|status| status.success());
        children.iter().filter(runs_it).take(most).filter(|pid| kill(pid)).count()
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
        let mut names = tables["TableNames"].as_array().expect("tables").iter().filter_map(Value::as_str);
        names.find(|name| name.contains("Marketplace")).expect("the table").to_owned()
    }

    /// Invokes a function as `aws lambda invoke` does; its reply.
    pub async fn invoke(&self, function: &str, event: Value) -> Value {
        let answer = self.try_invoke(function, event).await;
        assert_eq!(answer.header("x-amz-function-error"), None, "{function}: {:#}", answer.body);
        answer.expect(200)
    }

    /// The Invoke API's answer: an error of the function has status 200 and the header `x-amz-function-error`.
    pub async fn try_invoke(&self, function: &str, event: Value) -> Answer {
        Client::new(&self.ready.invoke).post(&format!("/2015-03-31/functions/{function}/invocations"), event).await
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Its exit code is looked at by the tests that care.
        drop(self.child.wait());
    }
}
