//! The files that are generated from the API description, which the multi-call binary prints.

use std::process::Command;
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::{Map, Value};

use super::lists::{registry, template};
use super::{File, folder};
use crate::support::functions_binary;
use crate::support::read;

/// Returns the API description of the functions as they are built now.
pub fn description() -> &'static Value {
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    DESCRIPTION.get_or_init(|| {
        let printed = Command::new(functions_binary()).arg("openapi").output().unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        serde_json::from_slice(&printed.stdout).unwrap()
    })
}

/// One operation of the description.
struct Operation<'a> {
    name: &'a str,
    method: String,
    path: &'a str,
    described: &'a Value,
}

/// Returns the operation of a function, if it has one.
fn operation(name: &str) -> Option<Operation<'static>> {
    let paths = description()["paths"].as_object().unwrap();
    paths.iter().find_map(|(path, methods)| {
        let mut methods = methods.as_object().unwrap().iter();
        let (method, described) = methods.find(|(_, o)| o["operationId"] == name)?;
        let name = described["operationId"].as_str().unwrap();
        Some(Operation { name, method: method.to_uppercase(), path, described })
    })
}

/// Returns the sample event of each endpoint, generated from the examples of its description.
/// Sample events of other functions are written by hand.
pub fn samples() -> Vec<File> {
    let functions = registry();
    let operations = functions.iter().filter_map(|function| operation(&function.name));
    let mut files: Vec<_> = operations
        .map(|operation| {
            let event = serde_json::to_string_pretty(&Event::of(&operation)).unwrap();
            File::new(format!("events/{}.json", operation.name), event + "\n")
        })
        .collect();
    let known = |stem: &str| functions.iter().any(|function| function.name == stem);
    let left_over =
        folder("events").into_iter().filter(|name| !known(name.trim_end_matches(".json")));
    files.extend(left_over.map(|name| File::unwanted(format!("events/{name}"))));
    files
}

/// An event of API Gateway's HTTP API, payload format 2.0.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    version: &'static str,
    route_key: String,
    raw_path: String,
    raw_query_string: String,
    headers: Map<String, Value>,
    request_context: RequestContext,
    is_base64_encoded: bool,
    #[serde(skip_serializing_if = "Map::is_empty")]
    path_parameters: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    query_string_parameters: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'static str,
    domain_prefix: &'static str,
    http: Http,
    request_id: &'static str,
    route_key: String,
    stage: &'static str,
    time: &'static str,
    time_epoch: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    path: String,
    protocol: &'static str,
    source_ip: &'static str,
    user_agent: &'static str,
}

impl Event {
    fn of(operation: &Operation<'_>) -> Self {
        let Operation { method, path, described, .. } = operation;
        let path_parameters = parameters(described, "path");
        let query = parameters(described, "query");
        let raw_path = path_parameters.iter().fold((*path).to_owned(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value.as_str().unwrap())
        });
        let pairs = query.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
        let body = described["requestBody"]["content"]
            .as_object()
            .map(|content| content.values().next().unwrap()["example"].to_string());
        let mut headers = Map::from_iter([
            ("accept".to_owned(), "*/*".into()),
            ("host".to_owned(), "localhost:8000".into()),
            ("user-agent".to_owned(), "sample".into()),
            ("x-forwarded-for".to_owned(), "203.0.113.7".into()),
        ]);
        if body.is_some() {
            headers.insert("content-type".to_owned(), "application/json".into());
        }
        for (name, value) in parameters(described, "header") {
            headers.insert(name.to_lowercase(), value);
        }
        let route_key = format!("{method} {path}");
        Self {
            version: "2.0",
            route_key: route_key.clone(),
            raw_path: raw_path.clone(),
            raw_query_string: pairs.collect::<Vec<_>>().join("&"),
            headers,
            request_context: RequestContext {
                account_id: "000000000000",
                api_id: "Api",
                domain_name: "localhost",
                domain_prefix: "localhost",
                http: Http {
                    method: method.clone(),
                    path: raw_path,
                    protocol: "HTTP/1.1",
                    source_ip: "203.0.113.7",
                    user_agent: "sample",
                },
                request_id: "JKJaXmPLvHcESHA=",
                route_key,
                stage: "$default",
                time: "24/Nov/2026:12:00:00 +0000",
                time_epoch: 1_795_521_600_000,
            },
            is_base64_encoded: false,
            path_parameters,
            query_string_parameters: query,
            body,
        }
    }
}

/// An example of each parameter that an operation requires in this place.
fn parameters(described: &Value, location: &str) -> Map<String, Value> {
    let all = described["parameters"].as_array().into_iter().flatten();
    let required = all.filter(|p| p["in"] == location && p["required"] == true);
    required
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap().to_owned();
            (name, example(&parameter["schema"]))
        })
        .collect()
}

/// The example of a schema, or the first of its values.
fn example(schema: &Value) -> Value {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => description().pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let example = [&schema["examples"][0], &schema["enum"][0]].into_iter().find(|e| !e.is_null());
    example.cloned().unwrap_or_else(|| "sample".into())
}

/// The README, with its tables of endpoints and of all other functions.
pub fn readme() -> File {
    const HEADING: &str = "## Endpoints\n";
    let readme = read("README.md");
    let (before, rest) = readme.split_once(HEADING).expect("a heading for endpoints");
    let (_, after) = rest.split_once("\n## ").expect("a heading after it");
    let mut text = String::from(
        "\nGenerated by `UPDATE_WIRING=1 cargo test -p tests wiring`.\n\n\
         | endpoint | function | for | what it does |\n|---|---|---|---|\n",
    );
    for Operation { name, method, path, described } in
        registry().iter().filter_map(|function| operation(&function.name))
    {
        let summary = described["summary"].as_str().unwrap();
        let who = audience(described["description"].as_str().unwrap());
        text += &format!("| {method} {path} | `{name}` | {who} | {summary} |\n");
    }
    text += "\n| started by | functions |\n|---|---|\n";
    for (event, functions) in others() {
        text += &format!("| {event} | {} |\n", functions.join(", "));
    }
    File::new("README.md", format!("{before}{HEADING}{text}\n## {after}"))
}

/// `clients`, of a description that begins with "For clients.".
fn audience(description: &str) -> &str {
    let sentence = description.split(['.', ';']).next().unwrap_or_default();
    sentence.strip_prefix("For ").unwrap_or(sentence)
}

/// The functions that are not endpoints, by what starts them.
fn others() -> [(&'static str, Vec<String>); 5] {
    let template = template();
    let mut others = [
        ("a request that no endpoint takes, to answer 404, or 405 with `Allow`", Vec::new()),
        ("a WebSocket that opens, closes or sends a message", Vec::new()),
        ("a DynamoDB stream", Vec::new()),
        ("a schedule", Vec::new()),
        ("`aws lambda invoke`", Vec::new()),
    ];
    for function in registry() {
        let deployed = template.iter().find(|deployed| deployed.name == function.name);
        let is_scheduled = deployed.is_some_and(|d| d.events.iter().any(|e| e == "Schedule"));
        let kind = match function.starter.as_str() {
            "http::serve_default" => 0,
            "events::socket" => 1,
            "events::stream" | "events::batch" => 2,
            "events::direct" if is_scheduled => 3,
            "events::direct" => 4,
            _ => continue,
        };
        others[kind].1.push(format!("`{}`", function.name));
    }
    others
}
