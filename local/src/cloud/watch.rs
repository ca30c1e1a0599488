//! Support for `cargo lambda watch` as the program that runs the functions: it gives them their
//! environment, and waits until it is there.
//!
//! `watch` reads `CargoLambda.toml` in the directory it is started in, again for each function it
//! starts (<https://www.cargo-lambda.info/guide/configuration.html>). The environment is written
//! there under `[watch.env]`, which only `watch` reads, so the two programs can be started in any
//! order. `watch` has one environment for all functions. To DynamoDB they are one caller, so
//! policies are not enforced.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http::Uri;
use tokio::net::TcpStream;

use crate::log::Log;

const FILE: &str = "CargoLambda.toml";
const HEADER: &str = "# Written by `cargo local --functions` for `cargo lambda watch`; not to be edited or committed.\n";

/// Writes the environment of all functions, and `shared`, which is the same for all.
///
/// # Errors
/// When two functions need different values of one variable, or the file exists and this program did
/// not write it.
pub(super) fn write_environment(
    root: &Path,
    environments: &BTreeMap<String, BTreeMap<String, String>>,
    shared: BTreeMap<String, String>,
) -> Result<()> {
    let path = root.join(FILE);
    if let Ok(present) = std::fs::read_to_string(&path) {
        ensure!(
            present.starts_with(HEADER),
            "{} was not written by this program: move it away",
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
    let mut givers: BTreeMap<&'a str, &'a str> = BTreeMap::new();
    for (function, environment) in environments {
        for (name, value) in environment {
            if let Some(other) = givers.insert(name, function)
                && merged.get(name) != Some(value)
            {
                bail!(
                    "{other} and {function} have different values of {name}, but cargo lambda watch has one environment for all"
                );
            }
            merged.insert(name.clone(), value.clone());
        }
    }
    // It takes a variable without value for an error.
    merged.retain(|_, value| !value.trim().is_empty());
    Ok(merged)
}

/// Waits until a program listens at `url`.
///
/// # Errors
/// When `url` names no host.
pub(super) async fn wait_for(url: &str, log: &Log) -> Result<()> {
    let uri: Uri = url.parse().with_context(|| format!("--functions {url} is not a URL"))?;
    let host = uri.host().with_context(|| format!("--functions {url} names no host"))?;
    let address = (host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80));
    let mut is_logged = false;
    while TcpStream::connect(address).await.is_err() {
        if !is_logged {
            log.line(
                "local",
                None,
                &format!("waiting for {url}: start `cargo lambda watch` in another terminal"),
            );
            is_logged = true;
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
    fn the_environment_of_all_is_written_where_watch_reads_it() {
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
        assert!(error.ends_with("was not written by this program: move it away"), "{error}");
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn values_that_differ_are_an_error() {
        let error = merged(
            &map(&[("f", text(&[("A", "1")])), ("g", text(&[("A", "2")]))]),
            BTreeMap::new(),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "f and g have different values of A, but cargo lambda watch has one environment for all"
        );
    }
}
