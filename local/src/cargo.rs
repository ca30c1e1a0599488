//! A Cargo workspace: its settings, its build, its binaries.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::{Child, Command};

use crate::settings::Settings;

/// A Cargo workspace, which may be a single package.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The folder of its `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// `[workspace.metadata.local]`.
    pub(crate) settings: Settings,
    target: PathBuf,
    binaries: Vec<Binary>,
}

/// A binary target.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binary {
    name: String,
    package: String,
    /// The folder of the package's `Cargo.toml`.
    directory: PathBuf,
    /// `default-run` of the package names it.
    is_default: bool,
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
    manifest_path: PathBuf,
    #[serde(default)]
    default_run: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Workspace {
    /// The workspace that `directory` belongs to; `None` when neither it nor a folder above has a
    /// `Cargo.toml`.
    ///
    /// # Errors
    /// When Cargo cannot read the workspace, or `[workspace.metadata.local]` is not usable.
    pub(crate) async fn find(directory: &Path) -> Result<Option<Self>> {
        if !directory.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
            return Ok(None);
        }
        let output = cargo(directory)
            .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
            .output()
            .await
            .context("cannot run cargo")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "cargo cannot read the workspace of {}: {}",
            directory.display(),
            stderr.trim()
        );
        Self::from_metadata(&output.stdout).map(Some)
    }

    fn from_metadata(metadata: &[u8]) -> Result<Self> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .context("[workspace.metadata.local] of Cargo.toml is not usable")?;
        let settings = metadata.metadata.and_then(|m| m.local).unwrap_or_default();
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            binaries: metadata.packages.iter().flat_map(Package::binaries).collect(),
            settings,
        })
    }

    /// Whether the workspace has a binary of this name.
    pub(crate) fn has_binary(&self, name: &str) -> bool {
        self.target(name).is_some()
    }

    /// The binary that stands for the package in `directory`: its only one, its `default-run`, or
    /// the one named like the package.
    pub(crate) fn binary_of_package(&self, directory: &Path) -> Option<&str> {
        let binaries: Vec<&Binary> =
            self.binaries.iter().filter(|b| b.directory == directory).collect();
        let binary = match binaries.as_slice() {
            [only] => Some(only),
            several => several
                .iter()
                .find(|b| b.is_default)
                .or_else(|| several.iter().find(|b| b.name == b.package)),
        };
        binary.map(|b| b.name.as_str())
    }

    /// Builds `binaries`, with Cargo's own progress on stderr.
    ///
    /// # Errors
    /// When they do not build, which Cargo has explained by then, or the workspace has no binary of
    /// one of these names.
    pub(crate) async fn build(&self, binaries: &[&str], release: bool) -> Result<()> {
        let mut command = cargo(&self.root);
        command.arg("build");
        let mut packages = Vec::new();
        for name in binaries {
            let target = self.target(name).with_context(|| {
                format!("the workspace {} has no binary {name}", self.root.display())
            })?;
            if !packages.contains(&target.package.as_str()) {
                packages.push(target.package.as_str());
            }
            command.args(["--bin", name]);
        }
        // Binaries of packages that are not default members are found in named packages only.
        for package in packages {
            command.args(["--package", package]);
        }
        if release {
            command.arg("--release");
        }
        // Only the JSON line may appear on our stdout.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // A group of its own, so that its compilers can be ended with it.
        let mut build = Build(command.process_group(0).spawn().context("cannot run cargo")?);
        let status = build.0.wait().await.context("cannot wait for cargo")?;
        if !status.success() {
            bail!("the functions do not build: cargo says why above");
        }
        Ok(())
    }

    /// The path of the built binary of that name.
    ///
    /// # Errors
    /// When it has not been built.
    pub(crate) fn built(&self, name: &str, release: bool) -> Result<PathBuf> {
        let path = self.target.join(if release { "release" } else { "debug" }).join(name);
        ensure!(
            path.is_file(),
            "there is no binary {}: build it, or start without --no-build",
            path.display()
        );
        Ok(path)
    }

    fn target(&self, name: &str) -> Option<&Binary> {
        self.binaries.iter().find(|b| b.name == name)
    }
}

impl Package {
    fn binaries(&self) -> impl Iterator<Item = Binary> {
        let targets = self.targets.iter().filter(|t| t.kind.iter().any(|kind| kind == "bin"));
        targets.map(|target| Binary {
            name: target.name.clone(),
            package: self.name.clone(),
            directory: self.manifest_path.parent().map(Path::to_owned).unwrap_or_default(),
            is_default: self.default_run.as_ref() == Some(&target.name),
        })
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

    const PACKAGES: &str = r#"[
        {"name": "functions", "manifest_path": "/shop/functions/Cargo.toml",
         "targets": [{"name": "shop", "kind": ["bin"]}, {"name": "functions", "kind": ["lib"]}]},
        {"name": "greet", "manifest_path": "/shop/greet/Cargo.toml", "default_run": "greet-http",
         "targets": [{"name": "greet", "kind": ["bin"]}, {"name": "greet-http", "kind": ["bin"]}]}]"#;

    fn metadata(metadata: &str) -> Vec<u8> {
        format!(
            r#"{{"workspace_root": "/shop", "target_directory": "/shop/target",
                "metadata": {metadata}, "packages": {PACKAGES}}}"#
        )
        .into_bytes()
    }

    #[test]
    fn settings_and_binaries_are_read() {
        let local = r#"{"local": {"multicall": "shop", "webhook": "/hook"}}"#;
        let workspace = Workspace::from_metadata(&metadata(local)).unwrap();
        let settings = &workspace.settings;
        assert_eq!(
            (settings.stack.as_str(), settings.webhook.as_deref(), settings.multicall.as_deref()),
            ("local", Some("/hook"), Some("shop"))
        );
        assert!(workspace.has_binary("shop") && !workspace.has_binary("functions"));
        let error = workspace.built("nothing", false).unwrap_err().to_string();
        assert!(error.starts_with("there is no binary /shop/target/debug/nothing"), "{error}");
    }

    #[test]
    fn a_workspace_needs_no_settings() {
        for none in ["null", "{}", r#"{"lambda": {"watch": {}}}"#] {
            let workspace = Workspace::from_metadata(&metadata(none)).unwrap();
            assert_eq!(workspace.settings.stack, "local");
            assert_eq!(workspace.settings.webhook, None);
        }
    }

    #[test]
    fn a_package_is_its_only_binary_or_its_default_one() {
        let workspace = Workspace::from_metadata(&metadata("null")).unwrap();
        let binary = |directory| workspace.binary_of_package(Path::new(directory));
        assert_eq!(binary("/shop/functions"), Some("shop"));
        assert_eq!(binary("/shop/greet"), Some("greet-http"));
        assert_eq!(binary("/shop"), None);
    }

    #[test]
    fn unusable_settings_are_an_error() {
        let message = |local: &str| {
            let metadata = metadata(&format!(r#"{{"local": {local}}}"#));
            format!("{:#}", Workspace::from_metadata(&metadata).unwrap_err())
        };
        let unknown = message(r#"{"colour": 1}"#);
        assert!(unknown.contains("unknown field `colour`"), "{unknown}");
    }

    #[tokio::test]
    async fn a_folder_outside_of_every_workspace_has_none() {
        let directory = crate::testing::TempDir::new();
        assert!(Workspace::find(&directory.0).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_missing_binary_is_named_before_anything_is_built() {
        let workspace = Workspace::from_metadata(&metadata("null")).unwrap();
        let error = workspace.build(&["orders-create"], false).await.unwrap_err();
        assert_eq!(error.to_string(), "the workspace /shop has no binary orders-create");
    }
}
