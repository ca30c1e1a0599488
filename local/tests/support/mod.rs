//! Starts the program `local` for a test.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

/// A running local cloud, without saved data. It exits when its standard input closes.
pub(crate) struct Process {
    /// The line that `--json` prints: the addresses of its services.
    pub(crate) ready: Value,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts it with these arguments and waits until it is ready. Its log goes to `log`.
    pub(crate) fn start(arguments: &[&str], log: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--ephemeral", "--json", "--exit-with-stdin", "--no-watch"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("local starts");
        let stdin = child.stdin.take();
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("stdout is text");
        let ready = serde_json::from_str(&line).expect("local prints its addresses");
        Self { ready, child, stdin }
    }

    /// Returns the URL of a service, such as `dynamodb`.
    pub(crate) fn url(&self, service: &str) -> &str {
        self.ready[service].as_str().unwrap_or_else(|| panic!("no {service}: {}", self.ready))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}
