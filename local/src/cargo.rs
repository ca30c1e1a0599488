//! The Cargo workspace whose functions are run: its settings, its build, its binaries.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::{Child, Command};

/// `[workspace.metadata.local]` of the root `Cargo.toml`: what the template cannot say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// The package with the functions' binaries.
    pub(crate) package: String,
    /// A binary that holds all functions and runs the one whose name it is started under. Linking
    /// one binary takes seconds, linking dozens does not.
    #[serde(default)]
    pub(crate) multicall: Option<String>,
    /// A function that is invoked after the start, to add sample data.
    #[serde(default)]
    pub(crate) seed: Option<String>,
    /// The path of the HTTP API that receives Stripe's events.
    #[serde(default)]
    pub(crate) webhook: Option<String>,
    /// `AWS::StackName`.
    #[serde(default = "default_stack")]
    pub(crate) stack: String,
    /// Values of the template's parameters.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
    /// Lines printed when everything answers: sample users, what to try.
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
    /// The packages of one build. Cargo chooses features for all of them together.
    selection: Vec<String>,
    sources: Vec<PathBuf>,
}

/// Which binaries are built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build {
    /// Each function's own binary, instead of the one that holds all.
    pub(crate) each: bool,
    /// Optimised ones.
    pub(crate) release: bool,
}

/// Whether Cargo prints its progress, or errors and warnings only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Shown,
    Hidden,
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
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    /// The folder of a dependency that is not downloaded.
    path: Option<PathBuf>,
    /// `dev`, `build`, or none.
    kind: Option<String>,
}

impl Package {
    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}

impl Workspace {
    /// Reads the workspace that `directory` belongs to.
    ///
    /// # Errors
    /// When Cargo finds no workspace there, or its `[workspace.metadata.local]` is missing or
    /// wrong.
    pub(crate) async fn read(directory: &Path) -> Result<Self> {
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
        Self::of(&output.stdout, Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    /// `own` is the folder of this program's package.
    fn of(metadata: &[u8], own: &Path) -> Result<Self> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .context("[workspace.metadata.local] of Cargo.toml is not usable")?;
        let settings = metadata
            .metadata
            .and_then(|m| m.local)
            .context("Cargo.toml has no [workspace.metadata.local]")?;
        let packages = metadata.packages;
        let package = packages.iter().find(|p| p.name == settings.package);
        let package = package
            .with_context(|| format!("the workspace has no package {}", settings.package))?;
        let is_binary = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        // A workspace that this program is a package of builds it along with the functions. With
        // another selection, dependencies that both use would be compiled once more.
        let own = packages.iter().find(|p| p.folder() == own && p.name != package.name);
        Ok(Self {
            selection: [Some(package), own].into_iter().flatten().map(|p| p.name.clone()).collect(),
            sources: local_folders(package, &packages),
            root: metadata.workspace_root,
            target: metadata.target_directory,
            binaries: package.targets.iter().filter(is_binary).map(|t| t.name.clone()).collect(),
            settings,
        })
    }

    /// The binary that holds all functions, unless `each` asks for one binary a function.
    pub(crate) fn multicall(&self, each: bool) -> Option<&str> {
        self.settings.multicall.as_deref().filter(|_| !each)
    }

    /// Where the functions' code is: the folders of their package and of the packages it depends on
    /// by path, and the workspace's `Cargo.toml`.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        let mut sources = self.sources.clone();
        sources.push(self.root.join("Cargo.toml"));
        sources
    }

    /// Builds these functions, with Cargo's output on stderr.
    ///
    /// # Errors
    /// When they do not compile, which Cargo has explained on stderr by then, or the package has no
    /// binary for a function.
    pub(crate) async fn build(
        &self,
        functions: &[String],
        build: Build,
        progress: Progress,
    ) -> Result<()> {
        let mut command = cargo(&self.root);
        command.arg("build");
        for package in &self.selection {
            command.args(["--package", package]);
        }
        match self.multicall(build.each) {
            Some(multicall) => drop(command.args(["--bin", multicall])),
            None => {
                for function in functions {
                    ensure!(
                        self.binaries.contains(function),
                        "the package {} has no binary {function}, which the template names",
                        self.settings.package
                    );
                    command.args(["--bin", function]);
                }
            }
        }
        if build.release {
            command.arg("--release");
        }
        if progress == Progress::Hidden {
            command.arg("--quiet");
        }
        // Nothing but the JSON line may appear on our stdout.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // A group of its own, so that its compilers can be ended with it.
        let child = command.process_group(0).spawn().context("cannot run cargo")?;
        let status = RunningBuild(child).0.wait().await.context("cannot wait for cargo")?;
        if !status.success() {
            bail!("the functions do not build: see cargo's errors above");
        }
        Ok(())
    }

    /// Where the binaries of these functions are once they are built.
    pub(crate) fn binaries(&self, functions: &[String], build: Build) -> Vec<PathBuf> {
        match self.multicall(build.each) {
            Some(multicall) => vec![self.path(multicall, build.release)],
            None => functions.iter().map(|name| self.path(name, build.release)).collect(),
        }
    }

    fn path(&self, binary: &str, release: bool) -> PathBuf {
        self.target.join(if release { "release" } else { "debug" }).join(binary)
    }

    /// The path of the built binary of that name.
    ///
    /// # Errors
    /// When it has not been built.
    pub(crate) fn binary(&self, name: &str, release: bool) -> Result<PathBuf> {
        let path = self.path(name, release);
        ensure!(
            path.is_file(),
            "there is no binary {}: build it, or start without --no-build",
            path.display()
        );
        Ok(path)
    }
}

/// The folders of `package` and of what it depends on by path, directly or not.
fn local_folders(package: &Package, packages: &[Package]) -> Vec<PathBuf> {
    let mut folders = vec![package.folder().to_owned()];
    let mut at = 0;
    while let Some(folder) = folders.get(at).cloned() {
        at += 1;
        // A folder outside of the workspace is watched, but what it depends on is not known.
        let Some(package) = packages.iter().find(|p| p.folder() == folder) else { continue };
        let needed = package.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
        for path in needed.filter_map(|d| d.path.as_ref()) {
            if !folders.contains(path) {
                folders.push(path.clone());
            }
        }
    }
    folders
}

/// A running build. Dropping it ends Cargo and its compilers.
struct RunningBuild(Child);

impl Drop for RunningBuild {
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
        let is_of_cargo_run = name
            .to_str()
            .is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_"));
        if is_of_cargo_run {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(local: &str) -> Vec<u8> {
        let dependency =
            |path: &str, kind: &str| format!(r#"{{"path": "{path}", "kind": {kind}}}"#);
        let package = |name: &str, dependencies: &[String], targets: &str| {
            format!(
                r#"{{"name": "{name}", "manifest_path": "/shop/{name}/Cargo.toml", "targets": [{targets}],
                    "dependencies": [{{"path": null, "kind": null}}, {}]}}"#,
                dependencies.join(", ")
            )
        };
        let packages = [
            package("shared", &[dependency("/elsewhere", "null")], ""),
            package("testing", &[dependency("/shop/shared", "null")], ""),
            package(
                "functions",
                &[dependency("/shop/shared", "null"), dependency("/shop/testing", "\"dev\"")],
                r#"{"name": "shop", "kind": ["bin"]}, {"name": "functions", "kind": ["lib"]}"#,
            ),
            package("cloud", &[dependency("/shop/shared", "null")], ""),
        ];
        format!(
            r#"{{"workspace_root": "/shop", "target_directory": "/shop/target",
                "metadata": {{"local": {local}}}, "packages": [{}]}}"#,
            packages.join(", ")
        )
        .into_bytes()
    }

    fn workspace(local: &str) -> Result<Workspace> {
        Workspace::of(&metadata(local), Path::new("/shop/cloud"))
    }

    #[test]
    fn settings_and_binaries_are_read() {
        let workspace =
            workspace(r#"{"package": "functions", "multicall": "shop", "webhook": "/hook"}"#)
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
    fn invalid_settings_are_an_error() {
        let message = |local| format!("{:#}", workspace(local).unwrap_err());
        assert_eq!(message("null"), "Cargo.toml has no [workspace.metadata.local]");
        assert_eq!(message(r#"{"package": "nobody"}"#), "the workspace has no package nobody");
        assert!(
            message(r#"{"package": "functions", "colour": 1}"#).contains("unknown field `colour`")
        );
    }

    #[test]
    fn packages_that_the_functions_depend_on_by_path_are_sources() {
        let workspace = workspace(r#"{"package": "functions"}"#).unwrap();
        let sources = ["/shop/functions", "/shop/shared", "/elsewhere", "/shop/Cargo.toml"];
        assert_eq!(workspace.sources(), sources.map(PathBuf::from));
    }

    #[test]
    fn a_workspace_with_this_program_in_it_selects_both_packages() {
        let selection = |own: &str| {
            let metadata = metadata(r#"{"package": "functions"}"#);
            Workspace::of(&metadata, Path::new(own)).unwrap().selection
        };
        assert_eq!(selection("/shop/cloud"), ["functions", "cloud"]);
        assert_eq!(selection("/home/me/.cargo/registry/src/local-0.1.0"), ["functions"]);
    }

    #[tokio::test]
    async fn a_function_without_a_binary_is_named_before_anything_is_built() {
        let workspace = workspace(r#"{"package": "functions"}"#).unwrap();
        let functions = ["orders-create".to_owned()];
        let build = Build { each: false, release: false };
        let error = workspace.build(&functions, build, Progress::Shown).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the package functions has no binary orders-create, which the template names"
        );
    }
}
