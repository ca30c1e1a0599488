//! An endpoint is written in four places: its handler, its test, its line in the registry and its
//! stanza in the template. Everything else is generated from them by
//! `UPDATE_WIRING=1 cargo test -p tests wiring`. Without the variable, the same tests fail if a
//! generated file is stale.

mod costs;
mod described;
mod invocations;
mod lists;
mod round_trips;
mod sources;

use std::sync::OnceLock;

use serde_json::Value;

pub use self::lists::deployed;

use self::lists::{registry, template};
use crate::support::{read, workspace};

/// A file with the content that it should have.
struct File {
    path: String,
    /// The content, or `None` if the file should not exist.
    text: Option<String>,
}

impl File {
    fn new(path: impl Into<String>, text: String) -> Self {
        Self { path: path.into(), text: Some(text) }
    }

    fn unwanted(path: String) -> Self {
        Self { path, text: None }
    }

    /// Returns whether the file is up to date. With `UPDATE_WIRING`, brings it up to date first.
    fn is_current(&self) -> bool {
        let path = workspace().join(&self.path);
        if std::fs::read_to_string(&path).ok() == self.text {
            return true;
        }
        if !updates() {
            return false;
        }
        match &self.text {
            Some(text) => std::fs::write(&path, text),
            None => std::fs::remove_file(&path),
        }
        .unwrap_or_else(|e| panic!("{}: {e}", self.path));
        println!("updated {}", self.path);
        true
    }
}

/// Returns the sample event of a function.
fn sample_event(function: &str) -> Value {
    let path = format!("events/{function}.json");
    serde_json::from_str(&read(&path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn updates() -> bool {
    std::env::var_os("UPDATE_WIRING").is_some()
}

/// Wraps a paragraph or list item of Markdown at 100 columns.
fn paragraph(text: &str) -> String {
    let indentation = if text.starts_with("- ") { "  " } else { "" };
    let (mut wrapped, mut column) = (String::new(), 0);
    for word in text.split(' ') {
        if column > 0 && column + 1 + word.len() > 100 {
            wrapped.push('\n');
            wrapped.push_str(indentation);
            column = indentation.len();
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += word.len();
    }
    wrapped.push('\n');
    wrapped
}

/// Returns the names in a folder, sorted.
fn folder(path: &str) -> Vec<String> {
    let entries =
        std::fs::read_dir(workspace().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Checks or updates the files that the build of the functions needs. Returns the stale ones.
fn update_sources() -> &'static [String] {
    static STALE: OnceLock<Vec<String>> = OnceLock::new();
    STALE.get_or_init(|| {
        let mut stale = stale(sources::modules());
        stale.extend(self::stale(sources::binaries()));
        stale.extend(self::stale(vec![sources::template_with_heads()]));
        // Reads the template.
        stale.extend(self::stale(vec![sources::watch_router()]));
        stale
    })
}

fn stale(files: Vec<File>) -> Vec<String> {
    files.into_iter().filter(|file| !file.is_current()).map(|file| file.path).collect()
}

const UPDATE: &str = "run UPDATE_WIRING=1 cargo test -p tests wiring";

#[test]
fn modules_binaries_template_and_watch_router_are_up_to_date() {
    let stale = update_sources();
    assert!(stale.is_empty(), "stale: {}; {UPDATE}", stale.join(", "));
}

#[test]
fn sample_events_and_readme_are_up_to_date() {
    update_sources();
    let mut stale = stale(described::samples());
    stale.extend(self::stale(vec![described::readme()]));
    assert!(stale.is_empty(), "stale: {}; {UPDATE}", stale.join(", "));
    // The sample events of functions that are not endpoints are written by hand.
    for function in registry() {
        sample_event(&function.name);
    }
}

#[test]
fn the_template_deploys_exactly_the_registered_functions_in_their_order() {
    let deployed: Vec<_> = template().into_iter().map(|function| function.name).collect();
    let registered: Vec<_> = registry().into_iter().map(|function| function.name).collect();
    assert_eq!(deployed, registered);
}
