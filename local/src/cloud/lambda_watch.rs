//! Gives `cargo lambda watch` the functions' environment, and waits until it runs.
//!
//! `watch` reads `CargoLambda.toml` in the directory it is started in, and reads it again whenever
//! it starts a function (<https://www.cargo-lambda.info/guide/configuration.html>). The environment
//! is written there, under `[watch.env]`, which only `watch` uses, so the two programs can be
//! started in any order. All functions share one environment and are therefore one caller to
//! DynamoDB, so policies are not enforced.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http::Uri;
use tokio::net::TcpStream;

use crate::log::Log;

const FILE: &str = "CargoLambda.toml";
const HEADER: &str = "# Written by `cargo local --functions` for `cargo lambda watch`; \
    not to be edited or committed.\n";

/// Writes the functions' environments, and the variables in `shared`, which all of them get.
///
/// # Errors
/// When two functions have different values for a variable, when `CargoLambda.toml` exists and was
/// not written by this program, or when it can't be written.
pub(super) fn write_environment(
    root: &Path,
    environments: &BTreeMap<String, BTreeMap<String, String>>,
    shared: BTreeMap<String, String>,
) -> Result<()> {
    let path = root.join(FILE);
    if let Ok(existing) = std::fs::read_to_string(&path) {
        ensure!(
            existing.starts_with(HEADER),
            "{} was not written by this program; move it out of the way",
            path.display()
        );
    }
    let environment = merged(environments, shared)?;
    let file = BTreeMap::from([("watch", BTreeMap::from([("env", environment)]))]);
    let text = format!("{HEADER}\n{}", toml::to_string(&file)?);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn merged<'a>(
    environments: &'a BTreeMap<String, BTreeMap<String, String>>,
    shared: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut merged = shared;
    let mut origins: BTreeMap<&'a str, &'a str> = BTreeMap::new();
    for (function, environment) in environments {
        for (name, value) in environment {
            if let Some(other) = origins.insert(name, function)
                && merged.get(name) != Some(value)
            {
                bail!(
                    "{other} and {function} have different values for {name}, \
                     but cargo lambda watch has one environment for all functions"
                );
            }
            merged.insert(name.clone(), value.clone());
        }
    }
    // `watch` rejects variables without a value.
    merged.retain(|_, value| !value.trim().is_empty());
    Ok(merged)
}

/// Waits until a server accepts connections at `url`.
///
/// # Errors
/// When `url` is not a URL or has no host.
pub(super) async fn wait_for(url: &str, log: &Log) -> Result<()> {
    let uri: Uri = url.parse().with_context(|| format!("--functions {url} is not a URL"))?;
    let host = uri.host().with_context(|| format!("--functions {url} has no host"))?;
    let address = (host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80));
    let mut logged = false;
    while TcpStream::connect(address).await.is_err() {
        if !logged {
            log.line(
                "local",
                None,
                &format!("waiting for {url}: start `cargo lambda watch` in another terminal"),
            );
            logged = true;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<V: Clone>(entries: &[(&str, V)]) -> BTreeMap<String, V> {
        entries.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
    }

    fn text(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_environment_of_all_functions_is_written_where_watch_reads_it() {
        let root = std::env::temp_dir().join(format!("watch-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&root).unwrap();
        let environments = map(&[
            ("f", text(&[("A", "1"), ("EMPTY", "")])),
            ("g", text(&[("A", "1"), ("B", "\"x\"")])),
        ]);
        for _ in 0..2 {
            write_environment(&root, &environments, text(&[("AWS_REGION", "us-east-1")])).unwrap();
        }
        let written = std::fs::read_to_string(root.join(FILE)).unwrap();
        let expected = "\n[watch.env]\nA = \"1\"\nAWS_REGION = \"us-east-1\"\nB = '\"x\"'\n";
        assert_eq!(written, format!("{HEADER}{expected}"));
        std::fs::write(root.join(FILE), "[watch]\n").unwrap();
        let error =
            write_environment(&root, &environments, BTreeMap::new()).unwrap_err().to_string();
        assert!(
            error.ends_with("was not written by this program; move it out of the way"),
            "{error}"
        );
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn different_values_for_a_variable_are_an_error() {
        let error = merged(
            &map(&[("f", text(&[("A", "1")])), ("g", text(&[("A", "2")]))]),
            BTreeMap::new(),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "f and g have different values for A, \
             but cargo lambda watch has one environment for all functions"
        );
    }
}
