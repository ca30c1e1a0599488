//! One list of functions: registry, template, binaries, event samples and watch router say the
//! same.

use std::collections::BTreeSet;

use yaml_serde::Value;

use crate::support::workspace;

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A line of the registry: `"orders-create" => http::serve, orders::create::handle;`.
struct Function {
    name: String,
    /// What its binary's `main` consists of.
    main: String,
}

/// Read as text: linking the functions into the tests would compile them twice for each change.
fn registry() -> Vec<Function> {
    let text = read("functions/src/registry.rs");
    let entry = |line: &str| {
        let (name, target) = line.trim().strip_suffix(';')?.split_once(" => ")?;
        let (serve, handle) = target.split_once(", ")?;
        let name = name.strip_prefix('"')?.strip_suffix('"')?.to_owned();
        let serve = serve.replace("events::", "runtime::events::");
        Some(Function { name, main: format!("functions::{serve}(functions::{handle}::handle)") })
    };
    let list = text.split_once("\nfunctions! {").expect("a list of functions").1;
    let entries: Vec<_> = list.lines().filter_map(entry).collect();
    assert!(entries.len() > 20, "the registry is read");
    entries
}

fn registered() -> BTreeSet<String> {
    registry().into_iter().map(|function| function.name).collect()
}

/// The functions of the template: name, and method and path of their routes. A route without either
/// is `$default`, which is left out.
pub fn deployed() -> Vec<(String, Vec<(String, String)>)> {
    let template: Value = yaml_serde::from_str(&read("template.yaml")).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let functions = resources.values().filter(|r| r["Type"] == "AWS::Serverless::Function");
    let function = |function: &Value| {
        let code = function["Properties"]["CodeUri"].as_str().unwrap();
        let name = code.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
        let events = function["Properties"]["Events"].as_mapping();
        let routes = events
            .into_iter()
            .flat_map(|events| events.values())
            .filter(|e| e["Type"] == "HttpApi");
        let text =
            |event: &Value, name: &str| event["Properties"][name].as_str().map(str::to_owned);
        (name, routes.filter_map(|e| Some((text(e, "Method")?, text(e, "Path")?))).collect())
    };
    functions.map(function).collect()
}

#[test]
fn the_template_deploys_exactly_the_registered_functions_in_their_order() {
    let deployed: Vec<_> = deployed().into_iter().map(|(name, _)| name).collect();
    let registered: Vec<_> = registry().into_iter().map(|function| function.name).collect();
    assert_eq!(deployed, registered);
}

/// A binary has one expression: that its text is exactly this, and compiles, proves that it is
/// wired to its handler.
#[test]
fn every_binary_starts_its_own_handler_and_nothing_else() {
    for function in registry() {
        let start = format!("fn main() -> std::process::ExitCode {{\n    {}\n}}\n", function.main);
        let expected = format!("//! The Lambda `{}`.\n\n{start}", function.name);
        let actual = read(&format!("functions/lambdas/src/bin/{}.rs", function.name));
        assert_eq!(actual, expected, "functions/lambdas/src/bin/{}.rs", function.name);
    }
    let mut binaries: BTreeSet<String> =
        std::fs::read_dir(workspace().join("functions/lambdas/src/bin"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
    assert!(binaries.remove("marketplace"));
    assert_eq!(binaries, registered());
}

#[test]
fn every_function_has_a_sample_event_and_no_sample_is_left_over() {
    let mut samples = BTreeSet::new();
    for entry in std::fs::read_dir(workspace().join("events")).unwrap() {
        let path = entry.unwrap().path();
        serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(&path).unwrap())
            .unwrap();
        samples.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
    }
    assert_eq!(samples, registered());
}

/// API Gateway does not take HEAD for GET, as most servers do: each GET needs a second event, with
/// `Method: HEAD`.
#[test]
fn every_get_has_its_head() {
    let of = |method: &str| -> BTreeSet<_> {
        let routes = deployed()
            .into_iter()
            .flat_map(|(name, routes)| routes.into_iter().map(move |r| (name.clone(), r)));
        routes.filter(|(_, (m, _))| m == method).map(|(name, (_, path))| (name, path)).collect()
    };
    assert_eq!(
        of("GET"),
        of("HEAD"),
        "template.yaml: beside Http, an event Head with Method: HEAD and the same Path"
    );
}

/// All but HEAD and `$default`, which `cargo lambda watch` alone does without.
#[test]
fn the_watch_router_has_the_routes_of_the_template() {
    let manifest: toml::Value = toml::from_str(&read("Cargo.toml")).unwrap();
    let router = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    let mut watched = BTreeSet::new();
    for (path, targets) in router.as_table().unwrap() {
        let targets = targets.as_array().cloned().unwrap_or_else(|| vec![targets.clone()]);
        for target in targets {
            let text = |name: &str| target[name].as_str().unwrap().to_owned();
            watched.insert((text("function"), text("method"), path.clone()));
        }
    }
    let routes = deployed()
        .into_iter()
        .flat_map(|(name, routes)| routes.into_iter().map(move |(m, p)| (name.clone(), m, p)));
    assert_eq!(watched, routes.filter(|(_, method, _)| method != "HEAD").collect());
}

/// What a step is, says `tests/it/round_trips.rs`, whose own test measures it.
#[test]
fn every_endpoint_has_a_step_in_the_walk_that_counts_round_trips() {
    let walk = read("tests/it/round_trips.rs");
    let endpoints = deployed().into_iter().filter(|(_, routes)| !routes.is_empty());
    let missing: Vec<_> = endpoints
        .map(|(name, _)| name)
        .filter(|name| !walk.contains(&format!("\"{name}\"")))
        .collect();
    assert!(
        missing.is_empty(),
        "add a step for {missing:?} to tests/it/round_trips.rs, as its head says"
    );
}
