//! Local clouds, each in its own process, or one stack that is already deployed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::stack::Stack;
use super::{Client, Response, eventually};

/// A running local cloud, or a deployed stack.
pub struct Cloud {
    pub ready: Ready,
    /// The file that a local cloud logs to. Empty for a deployed stack.
    pub log: PathBuf,
    host: Host,
}

/// Where the functions run.
#[expect(clippy::large_enum_variant, reason = "a process has few clouds")]
enum Host {
    /// In a local cloud. It stops when its standard input closes, which happens when this value is
    /// dropped or the test process ends.
    Process { child: Child, stdin: Option<ChildStdin> },
    /// In a stack that the environment variable `DEPLOYED_STACK` describes.
    Stack(Stack),
}

/// The addresses and settings that a local cloud prints as JSON once it is ready (`--json`).
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    pub http: String,
    pub ws: String,
    #[serde(default)]
    pub dynamodb: String,
    /// The stand-in for Stripe, or `None` if the functions call Stripe itself.
    pub stripe: Option<String>,
    #[serde(default)]
    pub invoke: String,
    pub webhook_secret: Option<String>,
    #[serde(default)]
    pub functions: Vec<String>,
}

/// Returns the cloud that most tests share. Each test creates its own users, services and orders in
/// it.
pub fn shared_cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| Cloud::start("shared", &["--ephemeral"]))
}

/// The flags that select the build profile of this program.
const PROFILE_FLAGS: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };

/// Returns the root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns the path of the local cloud's program. The first call builds it, and the program that
/// contains every function.
fn local_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
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
            .args(PROFILE_FLAGS)
            .current_dir(workspace())
            .status();
        assert!(built.expect("cargo starts").success(), "the local cloud does not build");
        // target/debug/deps/it-... is this process.
        let target = std::env::current_exe().expect("this process has a path");
        target.ancestors().nth(2).expect("target/debug").join("local")
    })
}

/// Returns the path of the program that contains every function. Builds it if necessary.
pub fn functions_binary() -> PathBuf {
    local_program().with_file_name("marketplace")
}

/// A local cloud that did not start.
#[derive(Debug)]
pub struct StartFailure {
    pub status: ExitStatus,
    /// Everything it wrote to standard error.
    pub log: String,
}

impl Cloud {
    /// Starts a cloud on free ports with these flags, such as `&["--ephemeral", "--env",
    /// "NAME=VALUE"]`. Its log goes to `target/tests/<name>.log`.
    ///
    /// An ephemeral cloud also gets the flags in the environment variable `LOCAL_FLAGS`, such as
    /// `--dynamodb http://localhost:8010`.
    ///
    /// If the environment variable `DEPLOYED_STACK` is set, this starts nothing and returns the
    /// stack that the variable describes. The description must list these flags: they say how the
    /// stack was deployed.
    pub fn start(name: &str, flags: &[&str]) -> Self {
        if let Some(stack) = Stack::deployed() {
            return Self::attach(stack, flags);
        }
        let ports: &[&str] = if flags.contains(&"--http-port") {
            &[]
        } else {
            &["--http-port", "0", "--ws-port", "0"]
        };
        let extra_flags = match flags.contains(&"--ephemeral") {
            true => std::env::var("LOCAL_FLAGS").unwrap_or_default(),
            false => String::new(),
        };
        let extra_flags: Vec<_> = extra_flags.split_whitespace().collect();
        Self::try_start(
            name,
            &[ports, PROFILE_FLAGS, &["--no-build"], flags, &extra_flags].concat(),
        )
        .unwrap_or_else(|failure| panic!("the local cloud {name} did not start: {}", failure.log))
    }

    fn attach(stack: Stack, flags: &[&str]) -> Self {
        for flag in flags.iter().filter(|flag| **flag != "--ephemeral") {
            let deployed = stack.flags.iter().any(|deployed| deployed == flag);
            assert!(
                deployed,
                "this test needs a stack that is deployed with {flag}: {}",
                stack.name
            );
        }
        Self { ready: stack.ready.clone(), log: PathBuf::new(), host: Host::Stack(stack) }
    }

    /// Starts a cloud with these flags and the two that tests need (`--json`, `--exit-with-stdin`).
    ///
    /// # Errors
    /// When it ends before it is ready.
    pub fn try_start(name: &str, flags: &[&str]) -> Result<Self, StartFailure> {
        let logs = workspace().join("target/tests");
        std::fs::create_dir_all(&logs).expect("target can be written");
        let log = logs.join(format!("{name}.log"));
        let mut child = Command::new(local_program())
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
            Ok(ready) => Ok(Self { ready, log, host: Host::Process { child, stdin } }),
            Err(_) => {
                let status = child.wait().expect("it ends");
                Err(StartFailure {
                    status,
                    log: std::fs::read_to_string(&log).expect("the log is text"),
                })
            }
        }
    }

    /// Returns its log so far.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log is text")
    }

    /// Returns the process id of a local cloud.
    fn pid(&self) -> u32 {
        match &self.host {
            Host::Process { child, .. } => child.id(),
            Host::Stack(stack) => {
                panic!("{} is deployed: this test needs a local cloud", stack.name)
            }
        }
    }

    /// Returns the process id and function name of each of its function processes.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let cloud = self.pid();
        let mut processes = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("a Linux system").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // The process may end while /proc is read.
            let read =
                |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap_or_default();
            let parent = read("stat")
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split(' ').nth(2)?.parse().ok());
            if parent == Some(cloud) {
                let program = read("cmdline").split('\0').next().unwrap_or_default().to_owned();
                processes.push((pid, program.rsplit('/').next().unwrap_or_default().to_owned()));
            }
        }
        processes
    }

    /// Sends it a signal, such as `TERM`, waits until it and all of its function processes have
    /// ended, and returns its exit status.
    pub async fn stop(mut self, signal_name: &str) -> ExitStatus {
        let processes = self.processes();
        assert!(processes.len() >= self.ready.functions.len(), "{processes:?}");
        assert!(signal(self.pid(), signal_name), "it has ended by itself");
        let status = self.wait().expect("it is a process").expect("it ends");
        for (pid, function) in processes {
            // The process id may belong to another program by now.
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

    /// Waits until a local cloud ends, and returns its exit status. Does nothing with a deployed
    /// stack.
    fn wait(&mut self) -> Option<std::io::Result<ExitStatus>> {
        match &mut self.host {
            Host::Process { child, .. } => Some(child.wait()),
            Host::Stack(_) => None,
        }
    }

    /// Returns a client of its HTTP API.
    pub fn client(&self) -> Client {
        Client::new(&self.ready.http)
    }

    /// Returns a client of its Stripe stand-in.
    pub fn stripe(&self) -> Client {
        Client::new(self.ready.stripe.as_deref().expect("the stand-in runs"))
    }

    /// Kills a function's processes, as a crash would, but at most `limit` of them. Returns how
    /// many it killed.
    pub fn kill_function(&self, name: &str, limit: usize) -> usize {
        let processes = self.processes().into_iter().filter(|(_, function)| function == name);
        processes.take(limit).filter(|(pid, _)| signal(*pid, "KILL")).count()
    }

    /// Closes a socket through the `@connections` API, as a developer with every permission. The
    /// socket may have closed already.
    pub async fn close_socket(&self, id: &str) {
        let credential = "AWS4-HMAC-SHA256 \
            Credential=developer/20260101/us-east-1/execute-api/aws4_request, \
            SignedHeaders=host;x-amz-date, Signature=0";
        let path = format!("/@connections/{}", id.replace('=', "%3D"));
        let client = Client::new(&self.ready.invoke).with_header("authorization", credential);
        let answer = client.send(http::Method::DELETE, &path, "", Default::default()).await;
        assert!([204, 410].contains(&answer.status.as_u16()), "{}: {}", answer.status, answer.body);
    }

    /// Calls its DynamoDB as a developer with every permission.
    pub async fn dynamodb(&self, operation: &str, body: Value) -> Value {
        if let Host::Stack(stack) = &self.host {
            return stack.dynamodb(operation, &body);
        }
        let credential = "AWS4-HMAC-SHA256 Credential=developer/20260101/local/dynamodb/aws4_request, \
            SignedHeaders=host;x-amz-date, Signature=0";
        Client::new(&self.ready.dynamodb)
            .with_header("x-amz-target", &format!("DynamoDB_20120810.{operation}"))
            .with_header("authorization", credential)
            .with_header("x-amz-date", "20260101T000000Z")
            .send(http::Method::POST, "/", "application/x-amz-json-1.0", body.to_string().into())
            .await
            .expect_status(200)
    }

    /// Returns the username and the password of an administrator.
    pub fn admin(&self) -> (&str, &str) {
        match &self.host {
            Host::Process { .. } => ("admin", "admin123"),
            Host::Stack(stack) => (&stack.admin.0, &stack.admin.1),
        }
    }

    /// Returns the name of the table whose name contains `part`: `Marketplace` or `Connections`.
    async fn table_named(&self, part: &str) -> String {
        let tables = self.dynamodb("ListTables", serde_json::json!({})).await;
        let mut names =
            tables["TableNames"].as_array().expect("tables").iter().filter_map(Value::as_str);
        names.find(|name| name.contains(part)).expect("the table").to_owned()
    }

    /// Returns the name of the connections table.
    pub async fn connections_table(&self) -> String {
        self.table_named("Connections").await
    }

    /// Returns the name of the marketplace table.
    pub async fn table(&self) -> String {
        self.table_named("Marketplace").await
    }

    /// Invokes a function as `aws lambda invoke` does, and returns its reply.
    pub async fn invoke(&self, function: &str, event: Value) -> Value {
        let answer = self.try_invoke(function, event).await;
        assert_eq!(answer.header("x-amz-function-error"), None, "{function}: {:#}", answer.body);
        answer.expect_status(200)
    }

    /// Invokes a function and returns the Invoke API's response. If the function fails, the
    /// response has status 200 and the header `x-amz-function-error`.
    pub async fn try_invoke(&self, function: &str, event: Value) -> Response {
        if let Host::Stack(stack) = &self.host {
            return stack.invoke(function, &event);
        }
        Client::new(&self.ready.invoke)
            .post(&format!("/2015-03-31/functions/{function}/invocations"), event)
            .await
    }
}

/// Sends a process the signal `name`, such as `KILL`. Returns false if the process does not exist.
fn signal(pid: u32, name: &str) -> bool {
    // The standard library can only send SIGKILL.
    Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status()
        .expect("kill starts")
        .success()
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Host::Process { stdin, .. } = &mut self.host {
            drop(stdin.take());
        }
        // Tests that need the exit status use `stop`.
        drop(self.wait());
    }
}
