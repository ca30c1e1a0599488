//! The files that are generated from the registry and the template alone.

use std::collections::BTreeSet;

use super::lists::{Function, registry, template};
use super::{File, folder};
use crate::support::read;
use crate::support::workspace;

/// Returns the source file of each Lambda's binary. The binary `marketplace`, which contains all
/// functions, is written by hand.
pub fn binaries() -> Vec<File> {
    const FOLDER: &str = "functions/lambdas/src/bin";
    let functions = registry();
    let mut files: Vec<_> = functions
        .iter()
        .map(|Function { name, starter, area, module }| {
            // The registry imports `runtime::events` and calls it `events`. Here it needs its path.
            let starter = starter.replace("events::", "runtime::events::");
            let main = format!("functions::{starter}(functions::{area}::{module}::handle)");
            let text = format!(
                "//! The Lambda `{name}`.\n\nfn main() -> std::process::ExitCode {{\n    {main}\n}}\n"
            );
            File::new(format!("{FOLDER}/{name}.rs"), text)
        })
        .collect();
    let known = |stem: &str| stem == "marketplace" || functions.iter().any(|f| f.name == stem);
    let left_over = folder(FOLDER).into_iter().filter(|name| !known(name.trim_end_matches(".rs")));
    files.extend(left_over.map(|name| File::unwanted(format!("{FOLDER}/{name}"))));
    files
}

/// Returns the files with the `mod` lines of handlers and of tests. Each file and folder of
/// `tests/it` is a module.
pub fn modules() -> Vec<File> {
    let functions = registry();
    let areas: BTreeSet<_> = functions.iter().map(|function| function.area.as_str()).collect();
    let mut files = Vec::new();
    for area in areas {
        let handlers = functions.iter().filter(|function| function.area == area);
        let path = format!("functions/src/{area}/mod.rs");
        let text = with_modules(&read(&path), handlers.map(|f| f.module.as_str()), "pub mod");
        files.push(File::new(path, text));
    }
    let entries = folder("tests/it");
    let folders: Vec<_> = entries.iter().filter(|name| !name.contains('.')).collect();
    for name in &folders {
        let path = [format!("tests/it/{name}/mod.rs"), format!("tests/it/{name}.rs")]
            .into_iter()
            .find(|path| workspace().join(path).is_file())
            .unwrap_or_else(|| panic!("tests/it/{name} has no mod.rs"));
        files.push(File::new(
            path.clone(),
            with_entries(&read(&path), &folder(&format!("tests/it/{name}"))),
        ));
    }
    files.push(File::new("tests/it/main.rs", with_entries(&read("tests/it/main.rs"), &entries)));
    files
}

/// Returns the text with a `mod` line for each file and folder of `entries` that is a module.
fn with_entries(text: &str, entries: &[String]) -> String {
    let is_module = |name: &str| name.ends_with(".rs") || !name.contains('.');
    let modules =
        entries.iter().filter(|name| is_module(name)).map(|name| name.trim_end_matches(".rs"));
    with_modules(text, modules.filter(|name| !matches!(*name, "mod" | "main")), "mod")
}

/// Returns the text with the missing `mod` lines of these modules, added in alphabetical order.
fn with_modules<'a>(text: &str, modules: impl Iterator<Item = &'a str>, keyword: &str) -> String {
    let declares = |line: &str| {
        let rest = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        Some(rest.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for module in modules {
        if lines.iter().any(|line| declares(line).as_deref() == Some(module)) {
            continue;
        }
        let sorts_before =
            |line: &String| declares(line).is_some_and(|name| name.as_str() < module);
        let first = lines.iter().position(|line| declares(line).is_some());
        let first = first.unwrap_or_else(|| {
            lines.push(String::new());
            lines.len()
        });
        let at = lines.iter().rposition(sorts_before).map_or(first, |at| at + 1);
        lines.insert(at, format!("{keyword} {module};"));
    }
    lines.join("\n") + "\n"
}

/// Returns the template with a route for HEAD after each route for GET. Unlike most servers, API
/// Gateway does not send HEAD requests to the route for GET.
pub fn template_with_heads() -> File {
    let text = read("template.yaml");
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        if is_route(line, "HEAD") {
            continue;
        }
        lines.push(line.to_owned());
        if is_route(line, "GET") {
            let head =
                line.replacen("Http:", "Head:", 1).replacen("Method: GET", "Method: HEAD", 1);
            lines.push(head);
        }
    }
    File::new("template.yaml", lines.join("\n") + "\n")
}

fn is_route(line: &str, method: &str) -> bool {
    line.contains("Type: HttpApi") && line.contains(&format!("Method: {method},"))
}

/// Returns the root `Cargo.toml` with the template's routes for `cargo lambda watch`, which answers
/// HEAD itself and has no `$default`.
pub fn watch_router() -> File {
    const SECTION: &str = "[workspace.metadata.lambda.watch.router]\n";
    let mut routes: Vec<(String, Vec<String>)> = Vec::new();
    for function in template() {
        for (method, path) in function.routes {
            if method == "HEAD" {
                continue;
            }
            let target = format!(r#"{{ function = "{}", method = "{method}" }}"#, function.name);
            match routes.iter_mut().find(|(known, _)| *known == path) {
                Some((_, targets)) => targets.push(target),
                None => routes.push((path, vec![target])),
            }
        }
    }
    let lines =
        routes.iter().map(|(path, targets)| format!("\"{path}\" = [{}]\n", targets.join(", ")));
    let manifest = read("Cargo.toml");
    let (before, rest) = manifest.split_once(SECTION).expect("a watch router");
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    File::new("Cargo.toml", format!("{before}{SECTION}{}{after}", lines.collect::<String>()))
}
