//! The dependencies between files run one way. This reads the `use` declarations and paths of
//! `functions`, `shared` and `local`, and names each dependency that runs the wrong way.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use self::source::{Crate, Dependency};
use crate::support::workspace;

/// The layers of `functions`, from the top. What is on a layer may use the layers below it.
const LAYERS: [&[&str]; 5] = [&["registry"], AREAS, &["openapi"], &["http"], &["runtime"]];

const AREAS: &[&str] = &[
    "auth",
    "users",
    "services",
    "orders",
    "payments",
    "messages",
    "live",
    "webhooks",
    "docs",
    "site",
    "operations",
];

/// The areas that may use another area, and why.
const BETWEEN_AREAS: [(&str, &str, &str); 6] = [
    ("users", "auth", "administrators create accounts and show them as their owners do"),
    ("operations", "auth", "the first administrator is an account like any other"),
    ("payments", "orders", "a payment is an order's: it is read, shown and canceled with it"),
    ("messages", "orders", "a message is an order's: who may read it follows from the order"),
    ("live", "orders", "feeds show an order as `GET /orders/{id}` does"),
    ("live", "messages", "feeds show a message as the list of messages does"),
];

/// The modules of `shared`, and the others that each may use.
const SHARED: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("error", &["domain"]),
    ("config", &[]),
    ("retry", &["error"]),
    ("telemetry", &[]),
    ("aws", &["config"]),
    ("secrets", &["config", "aws", "retry"]),
    ("auth", &["domain", "error", "config", "secrets"]),
    ("payments", &["domain", "error", "config", "retry", "secrets"]),
    ("store", &["domain", "error", "config", "aws", "retry", "secrets", "auth", "payments"]),
    ("live", &["domain", "error", "config", "aws", "retry", "auth", "store"]),
    ("lib", &[]),
];

fn dependencies(package: &str) -> BTreeSet<Dependency> {
    Crate::read(&workspace().join(package).join("src/lib.rs")).dependencies()
}

/// `orders` of `orders/create.rs`, `registry` of `registry.rs`.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// Each dependency that `allows` refuses, as a line of a message.
fn wrong(
    package: &str,
    dependencies: &BTreeSet<Dependency>,
    allows: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let between =
        dependencies.iter().filter(|dependency| top(&dependency.from) != top(&dependency.to));
    let wrong = between.filter(|dependency| !allows(top(&dependency.from), top(&dependency.to)));
    wrong
        .map(|Dependency { from, to, line }| {
            let (lower, upper) = (top(from), top(to));
            format!("{package}/src/{from}:{line} uses {to}: {lower} may not use {upper}")
        })
        .collect()
}

fn layer(module: &str) -> usize {
    let layer = LAYERS.iter().position(|layer| layer.contains(&module));
    layer.unwrap_or_else(|| panic!("functions/src/{module} is on no layer of {}", file!()))
}

#[test]
fn no_layer_of_functions_uses_one_above_it() {
    let dependencies = dependencies("functions");
    assert!(dependencies.len() > 200, "only {} dependencies were found", dependencies.len());
    let may = |from: &str, to: &str| {
        layer(from) < layer(to)
            || BETWEEN_AREAS.iter().any(|(user, used, _)| (*user, *used) == (from, to))
    };
    let wrong = wrong("functions", &dependencies, may);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_exception_between_areas_is_in_use() {
    let dependencies = dependencies("functions");
    for (from, to, _) in BETWEEN_AREAS {
        let is_used = dependencies
            .iter()
            .any(|dependency| top(&dependency.from) == from && top(&dependency.to) == to);
        assert!(is_used, "{from} no longer uses {to}: take it off the list");
    }
}

#[test]
fn in_shared_everything_may_use_the_domain_and_the_domain_uses_nothing() {
    let may = |from: &str, to: &str| {
        let used = SHARED.iter().find(|(module, _)| *module == from);
        used.unwrap_or_else(|| panic!("shared/src/{from} is not in {}", file!())).1.contains(&to)
    };
    let wrong = wrong("shared", &dependencies("shared"), may);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A module's parent is not counted: Rust spreads a type over submodules that use what `mod.rs`
/// defines.
#[test]
fn no_cycle_between_files_or_folders() {
    let mut found = Vec::new();
    for package in ["functions", "shared", "local"] {
        let mut dependencies = dependencies(package);
        dependencies.retain(|dependency| !is_parent(&dependency.to, &dependency.from));
        let files = dependencies
            .iter()
            .map(|dependency| (dependency.from.clone(), dependency.to.clone(), dependency));
        found.extend(cycles(package, files));
        // Within each folder, a folder below counts as a whole.
        let mut folders: BTreeMap<&str, Vec<(String, String, &Dependency)>> = BTreeMap::new();
        for dependency in &dependencies {
            let folder = common_folder(&dependency.from, &dependency.to);
            let entry = |file: &str| {
                let below = file[folder.len()..].split('/').next().unwrap_or_default();
                format!("{folder}{below}")
            };
            let dependency = (entry(&dependency.from), entry(&dependency.to), dependency);
            folders.entry(folder).or_default().push(dependency);
        }
        found.extend(
            folders
                .into_values()
                .flat_map(|dependencies| cycles(package, dependencies.into_iter())),
        );
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} cycles:\n{}", found.len(), found.join("\n\n"));
}

/// Whether `parent` is the `mod.rs` above `child`, or the file that its folder is named after.
fn is_parent(parent: &str, child: &str) -> bool {
    let folder = parent.strip_suffix("mod.rs").map(str::to_owned);
    let folder = folder.unwrap_or_else(|| format!("{}/", parent.trim_end_matches(".rs")));
    child.starts_with(&folder)
}

/// `orders/` of two files in it, with the slash; empty for the crate's own folder.
fn common_folder<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    &one[..one[..same].rfind('/').map_or(0, |at| at + 1)]
}

/// Circles among these dependencies, shortest first, none of which shares a file with another: one
/// line an dependency.
fn cycles<'a>(
    package: &str,
    dependencies: impl Iterator<Item = (String, String, &'a Dependency)>,
) -> Vec<String> {
    let mut graph: BTreeMap<String, BTreeMap<String, &Dependency>> = BTreeMap::new();
    for (from, to, dependency) in dependencies {
        graph.entry(from).or_default().entry(to).or_insert(dependency);
    }
    let mut ways: Vec<_> = graph.keys().filter_map(|start| shortest_cycle(&graph, start)).collect();
    ways.sort_by_key(Vec::len);
    let (mut seen, mut cycles) = (BTreeSet::new(), Vec::new());
    for way in ways {
        if way.iter().all(|dependency| !seen.contains(&dependency.from)) {
            seen.extend(way.iter().map(|dependency| &dependency.from));
            let line = |Dependency { from, to, line }: &Dependency| {
                format!("{package}/src/{from}:{line} uses {package}/src/{to}")
            };
            cycles.push(way.into_iter().map(line).collect::<Vec<_>>().join("\n"));
        }
    }
    cycles
}

/// The dependencies of a shortest way from `start` back to it.
fn shortest_cycle<'a>(
    graph: &BTreeMap<String, BTreeMap<String, &'a Dependency>>,
    start: &str,
) -> Option<Vec<&'a Dependency>> {
    let mut ways = std::collections::VecDeque::from([(start, Vec::new())]);
    let mut seen = BTreeSet::new();
    while let Some((at, way)) = ways.pop_front() {
        for (next, dependency) in graph.get(at).into_iter().flatten() {
            let mut way = way.clone();
            way.push(*dependency);
            if next == start {
                return Some(way);
            }
            if seen.insert(next.as_str()) {
                ways.push_back((next, way));
            }
        }
    }
    None
}
