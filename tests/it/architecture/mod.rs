//! Checks that dependencies between files run one way. The tests read the `use` declarations and
//! paths of `functions`, `shared` and `local`, and name each dependency that runs the wrong way.

mod source;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use self::source::{Crate, Dependency};
use crate::support::workspace;

/// The layers of `functions`, from the top. A module may use the modules on layers below its own.
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
const SHARED: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("error", &["domain"]),
    ("config", &[]),
    ("retry", &["error"]),
    ("telemetry", &[]),
    ("metrics", &["domain", "config"]),
    ("aws", &["config"]),
    ("secrets", &["config", "aws", "retry"]),
    ("auth", &["domain", "error", "config", "secrets"]),
    ("payments", &["domain", "error", "config", "retry", "secrets"]),
    (
        "store",
        &[
            "domain",
            "error",
            "config",
            "telemetry",
            "metrics",
            "aws",
            "retry",
            "secrets",
            "auth",
            "payments",
        ],
    ),
    ("live", &["domain", "error", "config", "metrics", "aws", "retry", "auth", "store"]),
    ("lib", &[]),
];

fn dependencies(package: &str) -> BTreeSet<Dependency> {
    Crate::read(&workspace().join(package).join("src/lib.rs")).dependencies()
}

/// Returns the top-level module of a file: `orders` for `orders/create.rs`, `registry` for
/// `registry.rs`.
fn top_module(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// Returns a line for each dependency that `allows` doesn't allow.
fn violations(
    package: &str,
    dependencies: &BTreeSet<Dependency>,
    allows: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let between = dependencies
        .iter()
        .filter(|dependency| top_module(&dependency.from) != top_module(&dependency.to));
    let violations = between
        .filter(|dependency| !allows(top_module(&dependency.from), top_module(&dependency.to)));
    violations
        .map(|Dependency { from, to, line }| {
            let (lower, upper) = (top_module(from), top_module(to));
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
    let violations = violations("functions", &dependencies, may);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn every_exception_between_areas_is_in_use() {
    let dependencies = dependencies("functions");
    for (from, to, _) in BETWEEN_AREAS {
        let is_used = dependencies.iter().any(|dependency| {
            top_module(&dependency.from) == from && top_module(&dependency.to) == to
        });
        assert!(is_used, "{from} no longer uses {to}: take it off the list");
    }
}

#[test]
fn in_shared_everything_may_use_the_domain_and_the_domain_uses_nothing() {
    let may = |from: &str, to: &str| {
        let used = SHARED.iter().find(|(module, _)| *module == from);
        used.unwrap_or_else(|| panic!("shared/src/{from} is not in {}", file!())).1.contains(&to)
    };
    let violations = violations("shared", &dependencies("shared"), may);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// Dependencies on a parent module don't count, because submodules often implement parts of a type
/// that their `mod.rs` defines.
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
        // Within each folder, a subfolder counts as a whole.
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

/// Returns the deepest folder that contains both files, such as `orders/`, or an empty string for
/// the crate's own folder.
fn common_folder<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    &one[..one[..same].rfind('/').map_or(0, |at| at + 1)]
}

/// Returns the cycles among these dependencies, shortest first, with a line for each dependency. Of
/// cycles that share a file, only the shortest is returned.
fn cycles<'a>(
    package: &str,
    dependencies: impl Iterator<Item = (String, String, &'a Dependency)>,
) -> Vec<String> {
    let mut graph: BTreeMap<String, BTreeMap<String, &Dependency>> = BTreeMap::new();
    for (from, to, dependency) in dependencies {
        graph.entry(from).or_default().entry(to).or_insert(dependency);
    }
    let mut candidates: Vec<_> =
        graph.keys().filter_map(|start| shortest_cycle(&graph, start)).collect();
    candidates.sort_by_key(Vec::len);
    let (mut seen, mut cycles) = (BTreeSet::new(), Vec::new());
    for cycle in candidates {
        if cycle.iter().all(|dependency| !seen.contains(&dependency.from)) {
            seen.extend(cycle.iter().map(|dependency| &dependency.from));
            let line = |Dependency { from, to, line }: &Dependency| {
                format!("{package}/src/{from}:{line} uses {package}/src/{to}")
            };
            cycles.push(cycle.into_iter().map(line).collect::<Vec<_>>().join("\n"));
        }
    }
    cycles
}

/// Returns the dependencies along a shortest path from `start` back to itself.
fn shortest_cycle<'a>(
    graph: &BTreeMap<String, BTreeMap<String, &'a Dependency>>,
    start: &str,
) -> Option<Vec<&'a Dependency>> {
    let mut candidates = std::collections::VecDeque::from([(start, Vec::new())]);
    let mut seen = BTreeSet::new();
    while let Some((at, cycle)) = candidates.pop_front() {
        for (next, dependency) in graph.get(at).into_iter().flatten() {
            let mut cycle = cycle.clone();
            cycle.push(*dependency);
            if next == start {
                return Some(cycle);
            }
            if seen.insert(next.as_str()) {
                candidates.push_back((next, cycle));
            }
        }
    }
    None
}
