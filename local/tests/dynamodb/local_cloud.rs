//! A local cloud with the test's tables and without functions.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use crate::tables;

/// A running local cloud. It exits when its standard input closes.
pub(crate) struct LocalCloud {
    ready: Value,
    child: Child,
    stdin: Option<ChildStdin>,
    folder: PathBuf,
}

impl LocalCloud {
    /// Starts the program `local` with a template of [`tables::definitions`].
    pub(crate) fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("local-dynamodb-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let template = folder.join("template.yaml");
        std::fs::write(&template, template_of_tables().to_string()).unwrap();
        let flags = ["--ephemeral", "--json", "--exit-with-stdin", "--no-watch", "--no-build"];
        let ports = ["--dynamodb-port", "0", "--invoke-port", "0"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(flags)
            .args(ports)
            .arg("--template")
            .arg(&template)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("local starts");
        let stdin = child.stdin.take();
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("stdout is text");
        let ready = serde_json::from_str(&line).expect("local prints its addresses");
        Self { ready, child, stdin, folder }
    }

    /// Returns the URL of its DynamoDB.
    pub(crate) fn dynamodb_url(&self) -> &str {
        self.ready["dynamodb"].as_str().unwrap()
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Returns a SAM template, as JSON, which is YAML too.
fn template_of_tables() -> Value {
    let resources = tables::definitions().into_iter().enumerate().map(|(i, mut table)| {
        // CloudFormation has no `StreamEnabled`.
        if let Some(stream) = table.get_mut("StreamSpecification") {
            stream.as_object_mut().unwrap().remove("StreamEnabled");
        }
        (format!("Table{i}"), json!({"Type": "AWS::DynamoDB::Table", "Properties": table}))
    });
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": resources.collect::<serde_json::Map<_, _>>(),
    })
}
