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
    packages: Vec<Package>,
    /// The package of this program, if it belongs to the workspace.
    own: Option<String>,
}

/// Whether Cargo prints its progress, or errors and warnings only.
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
    /// The folder of a dependency that is not downloaded.
    path: Option<PathBuf>,
    /// `dev`, `build`, or none.
    kind: Option<String>,
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
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self::from_metadata(&output.stdout, own).map(Some)
    }

    /// `own` is the folder of this program's package.
    fn from_metadata(metadata: &[u8], own: &Path) -> Result<Self> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .context("[workspace.metadata.local] of Cargo.toml is not usable")?;
        let settings = metadata.metadata.and_then(|m| m.local).unwrap_or_default();
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            binaries: metadata.packages.iter().flat_map(Package::binaries).collect(),
            own: metadata.packages.iter().find(|p| p.folder() == own).map(|p| p.name.clone()),
            packages: metadata.packages,
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

    /// The files and folders with the code of `binaries`: the folders of their packages and of the
    /// packages these depend on by path, and the `Cargo.toml` of the workspace.
    pub(crate) fn sources(&self, binaries: &[&str]) -> Vec<PathBuf> {
        let targets = binaries.iter().filter_map(|name| self.target(name));
        let mut sources: Vec<PathBuf> = targets.map(|target| target.directory.clone()).collect();
        sources.sort();
        sources.dedup();
        let mut at = 0;
        while let Some(folder) = sources.get(at).cloned() {
            at += 1;
            // Of a folder outside of the workspace, the dependencies are not known.
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
    /// When they do not compile, which Cargo has explained on stderr by then, or the workspace has
    /// no binary of one of these names.
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
        // A workspace that this program belongs to is built with the program and the functions
        // selected: Cargo chooses the features of dependencies for all selected packages together,
        // and would compile those that both use once more for another selection.
        packages.extend(self.own.as_deref().filter(|own| !packages.contains(own)));
        // Binaries of packages that are not default members are found in named packages only.
        for package in packages {
            command.args(["--package", package]);
        }
        if release {
            command.arg("--release");
        }
        if progress == Progress::Hidden {
            command.arg("--quiet");
        }
        // Only the JSON line may appear on our stdout.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // A group of its own, so that its compilers can be ended with it.
        let child = command.process_group(0).spawn().context("cannot run cargo")?;
        let status = Build(child).0.wait().await.context("cannot wait for cargo")?;
        if !status.success() {
            bail!("the functions do not build: see cargo's errors above");
        }
        Ok(())
    }

    /// The path of the built binary of that name.
    ///
    /// # Errors
    /// When it has not been built.
    pub(crate) fn built(&self, name: &str, release: bool) -> Result<PathBuf> {
        let path = self.path(name, release);
        ensure!(
            path.is_file(),
            "there is no binary {}: build it, or start without --no-build",
            path.display()
        );
        Ok(path)
    }

    /// Where the binary of that name is, once it is built.
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

    /// The folders of dependencies whose code gets into the package's binaries.
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

/// A running build. Dropping it ends Cargo and its compilers.
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

/// Cargo, as if called from a terminal: without the variables that `cargo run` sets for the program
/// it runs. Build scripts that watch them would run again.
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
        {"name": "shared", "manifest_path": "/shop/shared/Cargo.toml", "targets": [],
         "dependencies": [{"path": "/elsewhere", "kind": null}, {"kind": null}]},
        {"name": "cloud", "manifest_path": "/shop/cloud/Cargo.toml", "targets": []},
        {"name": "functions", "manifest_path": "/shop/functions/Cargo.toml",
         "dependencies": [{"path": "/shop/shared", "kind": null}, {"path": "/shop/cloud", "kind": "dev"}],
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

    fn workspace(text: &str) -> Result<Workspace> {
        Workspace::from_metadata(&metadata(text), Path::new("/shop/cloud"))
    }

    #[test]
    fn packages_that_the_binaries_depend_on_by_path_are_their_sources() {
        let sources = |binaries: &[&str]| workspace("null").unwrap().sources(binaries);
        let expected = ["/shop/functions", "/shop/shared", "/elsewhere", "/shop/Cargo.toml"];
        assert_eq!(sources(&["shop"]), expected.map(PathBuf::from));
        let expected = ["/shop/greet", "/shop/Cargo.toml"];
        assert_eq!(sources(&["greet", "greet-http"]), expected.map(PathBuf::from));
    }

    #[test]
    fn a_workspace_that_this_program_belongs_to_knows_its_package() {
        assert_eq!(workspace("null").unwrap().own.as_deref(), Some("cloud"));
        let elsewhere = Path::new("/home/me/.cargo/registry/src/local-0.1.0");
        assert_eq!(Workspace::from_metadata(&metadata("null"), elsewhere).unwrap().own, None);
    }

    #[test]
    fn settings_and_binaries_are_read() {
        let local = r#"{"local": {"multicall": "shop", "webhook": "/hook"}}"#;
        let workspace = workspace(local).unwrap();
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
            let workspace = workspace(none).unwrap();
            assert_eq!(workspace.settings.stack, "local");
            assert_eq!(workspace.settings.webhook, None);
        }
    }

    #[test]
    fn a_package_is_its_only_binary_or_its_default_one() {
        let workspace = workspace("null").unwrap();
        let binary = |directory| workspace.binary_of_package(Path::new(directory));
        assert_eq!(binary("/shop/functions"), Some("shop"));
        assert_eq!(binary("/shop/greet"), Some("greet-http"));
        assert_eq!(binary("/shop"), None);
    }

    #[test]
    fn unusable_settings_are_an_error() {
        let message = |local: &str| {
            format!("{:#}", workspace(&format!(r#"{{"local": {local}}}"#)).unwrap_err())
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
        let workspace = workspace("null").unwrap();
        let error = workspace.build(&["orders-create"], false, Progress::Shown).await.unwrap_err();
        assert_eq!(error.to_string(), "the workspace /shop has no binary orders-create");
    }
}
