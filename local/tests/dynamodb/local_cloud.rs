//! A local cloud with the test's tables and without functions.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::Process;
use crate::tables;

/// Starts the program `local` with a template of [`tables::definitions`].
pub(crate) fn start() -> Process {
    let folder = std::env::temp_dir().join(format!("local-dynamodb-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let template = folder.join("template.yaml");
    std::fs::write(&template, template_of_tables().to_string()).unwrap();
    let template = template.to_str().expect("the path is text");
    let ports = ["--dynamodb-port", "0", "--invoke-port", "0"];
    let arguments = [&ports[..], &["--no-build", "--template", template]].concat();
    let process = Process::start(&arguments, Stdio::null());
    // It has read the template.
    drop(std::fs::remove_dir_all(&folder));
    process
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
