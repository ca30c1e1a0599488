//! The workspace whose functions are run: its settings, its build, its binaries.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::{Child, Command};

/// `[workspace.metadata.local]` of the root `Cargo.toml`: what the template does not say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// The package with the functions' binaries.
    pub(crate) package: String,
    /// A binary that is every function, by the name it is started under. One is built and linked
    /// instead of dozens.
    #[serde(default)]
    pub(crate) multicall: Option<String>,
    /// A function that is invoked after the start: it puts sample data there.
    #[serde(default)]
    pub(crate) seed: Option<String>,
    /// The path of the HTTP API that Stripe's events are sent to.
    #[serde(default)]
    pub(crate) webhook: Option<String>,
    /// `AWS::StackName`.
    #[serde(default = "default_stack")]
    pub(crate) stack: String,
    /// Values of the template's parameters.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
    /// Lines for people, printed when everything answers: whom to sign in as, what to try.
    #[serde(default)]
    pub(crate) hints: Vec<String>,
}

fn default_stack() -> String {
    "local".to_owned()
}

/// A Cargo workspace.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// Where its `Cargo.toml` is.
    pub(crate) root: PathBuf,
    /// `[workspace.metadata.local]`.
    pub(crate) settings: Settings,
    target: PathBuf,
    binaries: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
    #[serde(default)]
    metadata: Option<WorkspaceMetadata>,
}

#[derive(Deserialize)]
struct WorkspaceMetadata {
    local: Option<Settings>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Workspace {
    /// The workspace that `directory` belongs to.
    ///
    /// # Errors
    /// When Cargo knows of none, or it has no usable `[workspace.metadata.local]`.
    pub(crate) async fn read(directory: &Path) -> Result<Self> {
        let output = cargo(directory)
            .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
            .output()
            .await
            .context("cannot run cargo")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "cargo does not understand the workspace of {}: {}",
            directory.display(),
            said.trim()
        );
        Self::of(&output.stdout)
    }

    fn of(metadata: &[u8]) -> Result<Self> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .context("[workspace.metadata.local] of Cargo.toml is not usable")?;
        let settings = metadata
            .metadata
            .and_then(|m| m.local)
            .context("Cargo.toml has no [workspace.metadata.local]")?;
        let package = metadata.packages.iter().find(|p| p.name == settings.package);
        let package = package
            .with_context(|| format!("the workspace has no package {}", settings.package))?;
        let is_binary = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            binaries: package.targets.iter().filter(is_binary).map(|t| t.name.clone()).collect(),
            settings,
        })
    }

    /// The binary that is every function, unless each is to be started on its own.
    pub(crate) fn multicall(&self, each: bool) -> Option<&str> {
        self.settings.multicall.as_deref().filter(|_| !each)
    }

    /// Builds the binaries for `functions`, with Cargo's own progress on stderr.
    ///
    /// # Errors
    /// When they do not build, which Cargo has explained by then, or the package has no binary for
    /// one of them.
    pub(crate) async fn build(&self, functions: &[&str], each: bool, release: bool) -> Result<()> {
        let mut command = cargo(&self.root);
        command.args(["build", "--package", &self.settings.package]);
        match self.multicall(each) {
            Some(multicall) => drop(command.args(["--bin", multicall])),
            None => {
                for function in functions {
                    let known = self.binaries.iter().any(|b| b == function);
                    ensure!(
                        known,
                        "the package {} has no binary {function}, which the template names",
                        self.settings.package
                    );
                    command.args(["--bin", function]);
                }
            }
        }
        if release {
            command.arg("--release");
        }
        // Nothing but the JSON line may appear on our stdout.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // A group of its own, so that its compilers can be ended with it.
        let mut build = Build(command.process_group(0).spawn().context("cannot run cargo")?);
        let status = build.0.wait().await.context("cannot wait for cargo")?;
        if !status.success() {
            bail!("the functions do not build: cargo says why above");
        }
        Ok(())
    }

    /// The built binary of that name.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn binary(&self, name: &str, release: bool) -> Result<PathBuf> {
        let path = self.target.join(if release { "release" } else { "debug" }).join(name);
        ensure!(
            path.is_file(),
            "there is no binary {}: build it, or start without --no-build",
            path.display()
        );
        Ok(path)
    }
}

/// A running build. Dropped before its end, it and its compilers are ended.
struct Build(Child);

impl Drop for Build {
    fn drop(&mut self) {
        if let Some(group) = self.0.id() {
            // Rust's standard library signals single processes only; POSIX shells signal groups.
            let kill = ["-c", "kill -TERM -- -$0", &group.to_string()].map(OsString::from);
            drop(std::process::Command::new("sh").args(kill).stderr(Stdio::null()).status());
        }
    }
}

/// Cargo, as if it were called from a terminal: without what `cargo run` tells the program it runs.
fn cargo(directory: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(directory);
    for (name, _) in std::env::vars_os() {
        let of_run = name
            .to_str()
            .is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_"));
        if of_run {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(local: &str) -> Vec<u8> {
        format!(
            r#"{{"workspace_root": "/shop", "target_directory": "/shop/target", "metadata": {{"local": {local}}},
                "packages": [{{"name": "functions", "targets": [{{"name": "shop", "kind": ["bin"]}}, {{"name": "functions", "kind": ["lib"]}}]}}]}}"#
        )
        .into_bytes()
    }

    #[test]
    fn settings_and_binaries_are_read() {
        let workspace = Workspace::of(&metadata(
            r#"{"package": "functions", "multicall": "shop", "webhook": "/hook"}"#,
        ))
        .unwrap();
        assert_eq!((workspace.multicall(false), workspace.multicall(true)), (Some("shop"), None));
        assert_eq!(
            (workspace.settings.stack.as_str(), workspace.settings.webhook.as_deref()),
            ("local", Some("/hook"))
        );
        assert_eq!(workspace.binaries, ["shop"]);
        let error = workspace.binary("nothing", false).unwrap_err().to_string();
        assert!(error.starts_with("there is no binary /shop/target/debug/nothing"), "{error}");
    }

    #[test]
    fn settings_that_are_not_usable_are_an_error() {
        let message = |local| format!("{:#}", Workspace::of(&metadata(local)).unwrap_err());
        assert_eq!(message("null"), "Cargo.toml has no [workspace.metadata.local]");
        assert_eq!(message(r#"{"package": "nobody"}"#), "the workspace has no package nobody");
        assert!(
            message(r#"{"package": "functions", "colour": 1}"#).contains("unknown field `colour`")
        );
    }

    #[tokio::test]
    async fn a_function_without_a_binary_is_named_before_anything_is_built() {
        let workspace = Workspace::of(&metadata(r#"{"package": "functions"}"#)).unwrap();
        let error = workspace.build(&["orders-create"], false, false).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the package functions has no binary orders-create, which the template names"
        );
    }
}
