//! The arrows between files run one way. This reads the `use` declarations and paths of
//! `functions`, `shared` and `local`, and names each arrow that runs the wrong way.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use self::source::{Arrow, Crate};
use crate::support::workspace;

/// The floors of `functions`, from the top. What is on a floor may use the floors below it.
const FLOORS: [&[&str]; 5] = [&["registry"], AREAS, &["openapi"], &["http"], &["runtime"]];

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

fn arrows(package: &str) -> BTreeSet<Arrow> {
    Crate::read(&workspace().join(package).join("src/lib.rs")).arrows()
}

/// `orders` of `orders/create.rs`, `registry` of `registry.rs`.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// Each arrow that `allows` refuses, as a line of a message.
fn wrong(
    package: &str,
    arrows: &BTreeSet<Arrow>,
    allows: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let between = arrows.iter().filter(|arrow| top(&arrow.from) != top(&arrow.to));
    let wrong = between.filter(|arrow| !allows(top(&arrow.from), top(&arrow.to)));
    wrong
        .map(|Arrow { from, to, line }| {
            let (lower, upper) = (top(from), top(to));
            format!("{package}/src/{from}:{line} uses {to}: {lower} may not use {upper}")
        })
        .collect()
}

fn floor(module: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&module));
    floor.unwrap_or_else(|| panic!("functions/src/{module} is on no floor of {}", file!()))
}

#[test]
fn no_floor_of_functions_uses_one_above_it() {
    let arrows = arrows("functions");
    assert!(arrows.len() > 200, "only {} arrows were found", arrows.len());
    let may = |from: &str, to: &str| {
        floor(from) < floor(to)
            || BETWEEN_AREAS.iter().any(|(user, used, _)| (*user, *used) == (from, to))
    };
    let wrong = wrong("functions", &arrows, may);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_exception_between_areas_is_in_use() {
    let arrows = arrows("functions");
    for (from, to, _) in BETWEEN_AREAS {
        let is_used = arrows.iter().any(|arrow| top(&arrow.from) == from && top(&arrow.to) == to);
        assert!(is_used, "{from} no longer uses {to}: take it off the list");
    }
}

#[test]
fn in_shared_everything_may_use_the_domain_and_the_domain_uses_nothing() {
    let may = |from: &str, to: &str| {
        let used = SHARED.iter().find(|(module, _)| *module == from);
        used.unwrap_or_else(|| panic!("shared/src/{from} is not in {}", file!())).1.contains(&to)
    };
    let wrong = wrong("shared", &arrows("shared"), may);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A module's parent is not counted: Rust spreads a type over submodules that use what `mod.rs`
/// defines.
#[test]
fn no_circle_between_files_or_folders() {
    let mut found = Vec::new();
    for package in ["functions", "shared", "local"] {
        let mut arrows = arrows(package);
        arrows.retain(|arrow| !is_parent(&arrow.to, &arrow.from));
        let files = arrows.iter().map(|arrow| (arrow.from.clone(), arrow.to.clone(), arrow));
        found.extend(circles(package, files));
        // Within each folder, a folder below counts as a whole.
        let mut folders: BTreeMap<&str, Vec<(String, String, &Arrow)>> = BTreeMap::new();
        for arrow in &arrows {
            let folder = common_folder(&arrow.from, &arrow.to);
            let entry = |file: &str| {
                let below = file[folder.len()..].split('/').next().unwrap_or_default();
                format!("{folder}{below}")
            };
            let arrow = (entry(&arrow.from), entry(&arrow.to), arrow);
            folders.entry(folder).or_default().push(arrow);
        }
        found.extend(folders.into_values().flat_map(|arrows| circles(package, arrows.into_iter())));
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n\n"));
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

/// Circles among these arrows, shortest first, none of which shares a file with another: one line
/// an arrow.
fn circles<'a>(
    package: &str,
    arrows: impl Iterator<Item = (String, String, &'a Arrow)>,
) -> Vec<String> {
    let mut graph: BTreeMap<String, BTreeMap<String, &Arrow>> = BTreeMap::new();
    for (from, to, arrow) in arrows {
        graph.entry(from).or_default().entry(to).or_insert(arrow);
    }
    let mut ways: Vec<_> = graph.keys().filter_map(|start| way_back(&graph, start)).collect();
    ways.sort_by_key(Vec::len);
    let (mut seen, mut circles) = (BTreeSet::new(), Vec::new());
    for way in ways {
        if way.iter().all(|arrow| !seen.contains(&arrow.from)) {
            seen.extend(way.iter().map(|arrow| &arrow.from));
            let line = |Arrow { from, to, line }: &Arrow| {
                format!("{package}/src/{from}:{line} uses {package}/src/{to}")
            };
            circles.push(way.into_iter().map(line).collect::<Vec<_>>().join("\n"));
        }
    }
    circles
}

/// The arrows of a shortest way from `start` back to it.
fn way_back<'a>(
    graph: &BTreeMap<String, BTreeMap<String, &'a Arrow>>,
    start: &str,
) -> Option<Vec<&'a Arrow>> {
    let mut ways = std::collections::VecDeque::from([(start, Vec::new())]);
    let mut seen = BTreeSet::new();
    while let Some((at, way)) = ways.pop_front() {
        for (next, arrow) in graph.get(at).into_iter().flatten() {
            let mut way = way.clone();
            way.push(*arrow);
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
