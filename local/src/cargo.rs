//! Reads a Cargo workspace, with its settings and binaries, and builds it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::{Child, Command};

use crate::settings::Settings;

/// A Cargo workspace, or a single package.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The folder of its `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// `[workspace.metadata.local]`.
    pub(crate) settings: Settings,
    target: PathBuf,
    binaries: Vec<Binary>,
    packages: Vec<Package>,
    /// The package of this program, if it belongs to the workspace.
    own_package: Option<String>,
}

/// Whether Cargo prints its progress, or only errors and warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Shown,
    Hidden,
}

/// A binary target.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binary {
    name: String,
    package: String,
    /// The folder of the package's `Cargo.toml`.
    directory: PathBuf,
    /// Whether it is the package's `default-run`.
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

#[derive(Debug, Clone, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    #[serde(default)]
    default_run: Option<String>,
    targets: Vec<Target>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Dependency {
    /// The folder of a path dependency.
    path: Option<PathBuf>,
    /// `dev` or `build`, or `None` for a normal dependency.
    kind: Option<String>,
}

impl Workspace {
    /// Returns the workspace that `directory` belongs to, or `None` if neither it nor a parent
    /// folder has a `Cargo.toml`.
    ///
    /// # Errors
    /// When Cargo can't read the workspace, or `[workspace.metadata.local]` is malformed.
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
        let own_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self::from_metadata(&output.stdout, own_folder).map(Some)
    }

    /// Reads the output of `cargo metadata`. `own_folder` is the folder of this program's package.
    fn from_metadata(metadata: &[u8], own_folder: &Path) -> Result<Self> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .context("[workspace.metadata.local] in Cargo.toml is malformed")?;
        let settings = metadata.metadata.and_then(|m| m.local).unwrap_or_default();
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            binaries: metadata.packages.iter().flat_map(Package::binaries).collect(),
            own_package: metadata
                .packages
                .iter()
                .find(|p| p.folder() == own_folder)
                .map(|p| p.name.clone()),
            packages: metadata.packages,
            settings,
        })
    }

    /// Whether the workspace has a binary of this name.
    pub(crate) fn has_binary(&self, name: &str) -> bool {
        self.target(name).is_some()
    }

    /// Returns the main binary of the package in `directory`: its only one, its `default-run`, or
    /// the one with the package's name.
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

    /// Returns the files and folders with the code of `binaries`: the folders of their packages and
    /// of those packages' path dependencies, and the `Cargo.toml` of the workspace.
    pub(crate) fn sources(&self, binaries: &[&str]) -> Vec<PathBuf> {
        let targets = binaries.iter().filter_map(|name| self.target(name));
        let mut sources: Vec<PathBuf> = targets.map(|target| target.directory.clone()).collect();
        sources.sort();
        sources.dedup();
        let mut at = 0;
        while let Some(folder) = sources.get(at).cloned() {
            at += 1;
            // The dependencies of a folder outside the workspace are unknown.
            let Some(package) = self.packages.iter().find(|p| p.folder() == folder) else {
                continue;
            };
            for path in package.code_dependencies() {
                if !sources.contains(path) {
                    sources.push(path.clone());
                }
            }
        }
        sources.push(self.root.join("Cargo.toml"));
        sources
    }

    /// Builds `binaries`, with Cargo's output on stderr.
    ///
    /// # Errors
    /// When they do not compile (Cargo has printed the errors), or when the workspace has no binary
    /// with one of these names.
    pub(crate) async fn build(
        &self,
        binaries: &[&str],
        release: bool,
        progress: Progress,
    ) -> Result<()> {
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
        // If this program belongs to the workspace, its package is selected as well. Cargo chooses
        // the features of dependencies for all selected packages together, so another selection
        // could compile shared dependencies again.
        packages.extend(self.own_package.as_deref().filter(|own| !packages.contains(own)));
        // Outside the default members, Cargo only finds binaries of packages that are named.
        for package in packages {
            command.args(["--package", package]);
        }
        if release {
            command.arg("--release");
        }
        if progress == Progress::Hidden {
            command.arg("--quiet");
        }
        // Our stdout is reserved for the JSON line.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // Cargo gets a process group of its own, so that its compilers can be stopped with it.
        let child = command.process_group(0).spawn().context("cannot run cargo")?;
        let status = Build(child).0.wait().await.context("cannot wait for cargo")?;
        if !status.success() {
            bail!("the functions do not build: see cargo's errors above");
        }
        Ok(())
    }

    /// Returns the path of the built binary with this name.
    ///
    /// # Errors
    /// When it has not been built.
    pub(crate) fn built(&self, name: &str, release: bool) -> Result<PathBuf> {
        let path = self.path(name, release);
        ensure!(
            path.is_file(),
            "there is no binary {}; build it, or start without --no-build",
            path.display()
        );
        Ok(path)
    }

    /// Returns the path to which the binary with this name is built.
    pub(crate) fn path(&self, name: &str, release: bool) -> PathBuf {
        self.target.join(if release { "release" } else { "debug" }).join(name)
    }

    fn target(&self, name: &str) -> Option<&Binary> {
        self.binaries.iter().find(|b| b.name == name)
    }
}

impl Package {
    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// Returns the folders of path dependencies whose code becomes part of the package's binaries.
    fn code_dependencies(&self) -> impl Iterator<Item = &PathBuf> {
        let dependencies = self.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
        dependencies.filter_map(|dependency| dependency.path.as_ref())
    }

    fn binaries(&self) -> impl Iterator<Item = Binary> {
        let targets = self.targets.iter().filter(|t| t.kind.iter().any(|kind| kind == "bin"));
        targets.map(|target| Binary {
            name: target.name.clone(),
            package: self.name.clone(),
            directory: self.folder().to_owned(),
            is_default: self.default_run.as_ref() == Some(&target.name),
        })
    }
}

/// A running build. Dropping it stops Cargo and its compilers.
struct Build(Child);

impl Drop for Build {
    fn drop(&mut self) {
        if let Some(group) = self.0.id() {
            // Rust's standard library can't signal a process group, but a shell can.
            let kill = ["-c", "kill -TERM -- -$0", &group.to_string()].map(OsString::from);
            drop(std::process::Command::new("sh").args(kill).stderr(Stdio::null()).status());
        }
    }
}

/// Returns a Cargo command without the variables that `cargo run` sets for this program. Build
/// scripts that depend on them would run again.
fn cargo(directory: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(directory);
    for (name, _) in std::env::vars_os() {
        let set_by_cargo_run = name
            .to_str()
            .is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_"));
        if set_by_cargo_run {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests;
