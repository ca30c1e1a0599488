//! The two lists that people write: the registry and the template.

use std::sync::LazyLock;

use yaml_serde::Value;

use crate::support::{self, read};

/// A line of the registry: `"orders-create" => http::serve, orders::create;`.
#[derive(Debug, Clone)]
pub struct Function {
    /// `orders-create`.
    pub name: String,
    /// `http::serve`.
    pub starter: String,
    /// `orders`.
    pub area: String,
    /// `create`: the module with its handler.
    pub module: String,
}

/// Returns the functions of the registry. The registry is read as text, because linking the
/// functions into the tests would compile them twice for each change.
pub fn registry() -> Vec<Function> {
    let text = read("functions/src/registry.rs");
    let entry = |line: &str| {
        let (name, target) = line.trim().strip_suffix(';')?.split_once(" => ")?;
        let (starter, handler) = target.split_once(", ")?;
        let (area, module) = handler.split_once("::")?;
        Some(Function {
            name: name.strip_prefix('"')?.strip_suffix('"')?.to_owned(),
            starter: starter.to_owned(),
            area: area.to_owned(),
            module: module.to_owned(),
        })
    };
    let list = text.split_once("\nfunctions! {").expect("a list of functions").1;
    let entries: Vec<_> = list.lines().filter_map(entry).collect();
    assert!(entries.len() > 20, "only {} functions were read", entries.len());
    entries
}

/// A function of the template.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The last part of its `CodeUri`: `orders-create`.
    pub name: String,
    /// The method and path of each route, without `$default`, which has neither.
    pub routes: Vec<(String, String)>,
    /// The types of its events: `HttpApi`, `DynamoDB`, `Schedule`.
    pub events: Vec<String>,
    /// When its schedules invoke it: `rate(5 minutes)`.
    pub schedules: Vec<String>,
    /// Its `MemorySize`, or that of `Globals`.
    pub memory_mb: f64,
}

/// Returns the functions of the template.
pub fn template() -> Vec<Deployed> {
    let template = support::template();
    let default_memory = &template["Globals"]["Function"]["MemorySize"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let function = |(_, function): &(String, Value)| {
        let code = function["CodeUri"].as_str().unwrap();
        let memory = function["MemorySize"].as_f64().or(default_memory.as_f64());
        let events = function["Events"].as_mapping();
        let events: Vec<_> = events.into_iter().flat_map(|events| events.values()).collect();
        let route = |event: &&Value| {
            let properties = &event["Properties"];
            Some((text(&properties["Method"])?, text(&properties["Path"])?))
        };
        Deployed {
            name: code.trim_end_matches('/').rsplit('/').next().unwrap().to_owned(),
            routes: events.iter().filter(|e| e["Type"] == "HttpApi").filter_map(route).collect(),
            events: events.iter().filter_map(|event| text(&event["Type"])).collect(),
            schedules: events.iter().filter_map(|e| text(&e["Properties"]["Schedule"])).collect(),
            memory_mb: memory.expect("Globals has a MemorySize"),
        }
    };
    support::resources(&template, "AWS::Serverless::Function").iter().map(function).collect()
}

/// Returns each function of the template, with the method and path of its routes.
pub fn deployed() -> Vec<(String, Vec<(String, String)>)> {
    static DEPLOYED: LazyLock<Vec<Deployed>> = LazyLock::new(|| {
        super::update_sources();
        template()
    });
    DEPLOYED.iter().map(|function| (function.name.clone(), function.routes.clone())).collect()
}
