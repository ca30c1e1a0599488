//! The program of each function: a binary that Cargo builds, or an existing `bootstrap`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cargo::{Progress, Workspace};
use crate::data_dir::DataDir;
use crate::model::Function;

/// The programs of all functions, in the functions' order.
#[derive(Clone)]
pub(super) struct Programs {
    /// The workspaces with the functions' binaries.
    workspaces: Vec<Workspace>,
    programs: Vec<Program>,
}

/// The program of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Program {
    /// A binary of the workspace with this index.
    Binary { workspace: usize, name: String },
    /// A binary that contains several functions. It is started under `name`, and runs the function
    /// with that name.
    Multicall { workspace: usize, binary: String, name: String },
    /// An executable file.
    Bootstrap(PathBuf),
}

impl Programs {
    /// Finds the program of each function of the template in `directory`. It is the first of these
    /// that exists:
    ///
    /// 1. a binary of the Cargo package in the folder `CodeUri`;
    /// 2. a binary of the template's own `workspace`, named by the last part of `CodeUri`, or the
    ///    workspace's multi-call binary unless `each` is set;
    /// 3. the executable `bootstrap` in the folder `CodeUri`.
    ///
    /// `bootstrap` comes last because `cargo lambda build` also puts one into that folder, which
    /// may be built for another processor.
    ///
    /// # Errors
    /// When functions have no program (the message names all of them), or when Cargo can't read a
    /// workspace.
    pub(super) async fn find(
        directory: &Path,
        workspace: Option<Workspace>,
        functions: &[Function],
        each: bool,
    ) -> Result<Self> {
        let has_own_workspace = workspace.is_some();
        let mut found = Self { workspaces: workspace.into_iter().collect(), programs: Vec::new() };
        let mut missing = Vec::new();
        for function in functions {
            let folder = directory.join(&function.code_uri);
            let folder = folder.canonicalize().unwrap_or(folder);
            let program = match found.package(&folder, function).await? {
                Some(program) => Some(program),
                None => found
                    .workspaces
                    .first()
                    .filter(|_| has_own_workspace)
                    .and_then(|workspace| binary_in_workspace(workspace, function, each))
                    .or_else(|| bootstrap(&folder)),
            };
            match program {
                Some(program) => found.programs.push(program),
                None => missing.push(format!(
                    "Resources.{} (CodeUri {})",
                    function.logical_id, function.code_uri
                )),
            }
        }
        if !missing.is_empty() {
            bail!(
                "no program for {}: CodeUri must end with the name of a binary of the Cargo \
                 workspace, or be a folder with a Cargo package or an executable `bootstrap`; if the \
                 package has several binaries, Metadata.BuildProperties.Binary must name one",
                missing.join(", ")
            );
        }
        Ok(found)
    }

    /// Returns the binary of the Cargo package in `folder`, if there is one.
    async fn package(&mut self, folder: &Path, function: &Function) -> Result<Option<Program>> {
        if !folder.join("Cargo.toml").is_file() {
            return Ok(None);
        }
        let Some(workspace) = Workspace::find(folder).await? else { return Ok(None) };
        let named = function.binary.as_deref().filter(|name| workspace.has_binary(name));
        let Some(name) = named.or_else(|| workspace.binary_of_package(folder)) else {
            return Ok(None);
        };
        let name = name.to_owned();
        let known = self.workspaces.iter().position(|w| w.root == workspace.root);
        let index = known.unwrap_or_else(|| {
            self.workspaces.push(workspace);
            self.workspaces.len() - 1
        });
        Ok(Some(Program::Binary { workspace: index, name }))
    }

    /// Builds the binaries with Cargo.
    ///
    /// # Errors
    /// When a binary does not build; Cargo has printed the errors.
    pub(super) async fn build(&self, release: bool, progress: Progress) -> Result<()> {
        for (workspace, binaries) in self.binaries() {
            workspace.build(&binaries, release, progress).await?;
        }
        Ok(())
    }

    /// Returns the files and folders with the binaries' code.
    pub(super) fn sources(&self) -> Vec<PathBuf> {
        self.binaries().flat_map(|(workspace, binaries)| workspace.sources(&binaries)).collect()
    }

    /// Returns the paths of the binaries that [`Programs::build`] writes.
    pub(super) fn built(&self, release: bool) -> Vec<PathBuf> {
        let built = self.binaries().flat_map(|(workspace, binaries)| {
            binaries.into_iter().map(move |name| workspace.path(name, release))
        });
        built.collect()
    }

    /// Returns the binaries that Cargo builds, by workspace.
    fn binaries(&self) -> impl Iterator<Item = (&Workspace, Vec<&str>)> {
        self.workspaces.iter().enumerate().filter_map(|(index, workspace)| {
            let mut binaries: Vec<&str> = Vec::new();
            for program in &self.programs {
                if let Some((owner, binary)) = program.binary()
                    && owner == index
                    && !binaries.contains(&binary)
                {
                    binaries.push(binary);
                }
            }
            (!binaries.is_empty()).then_some((workspace, binaries))
        })
    }

    /// Returns the file to start for each function.
    ///
    /// # Errors
    /// When a binary has not been built, or `data_dir` can't be written.
    pub(super) fn files(&self, data_dir: &DataDir, release: bool) -> Result<Vec<PathBuf>> {
        let mut links = Vec::new();
        let mut files = Vec::new();
        for program in &self.programs {
            files.push(match program {
                Program::Binary { workspace, name } => {
                    self.workspaces[*workspace].built(name, release)?
                }
                Program::Multicall { workspace, binary, name } => {
                    links
                        .push((name.as_str(), self.workspaces[*workspace].built(binary, release)?));
                    data_dir.bin().join(name)
                }
                Program::Bootstrap(file) => file.clone(),
            });
        }
        data_dir.link(&links)?;
        Ok(files)
    }

    /// Describes the programs for the summary.
    pub(super) fn describe(&self, release: bool) -> String {
        let profile = if release { "optimized" } else { "not optimized" };
        let multicall = self.programs.iter().find_map(|program| match program {
            Program::Multicall { binary, .. } => Some(binary),
            _ => None,
        });
        let built = self.programs.iter().any(|program| program.binary().is_some());
        match multicall {
            Some(binary) => format!("all in the binary {binary}, {profile}"),
            None if built => format!("each with its own binary, {profile}"),
            None => "each with its own bootstrap".to_owned(),
        }
    }
}

impl Program {
    /// Returns the index of the workspace and the name of the binary to build there.
    fn binary(&self) -> Option<(usize, &str)> {
        match self {
            Self::Binary { workspace, name: binary }
            | Self::Multicall { workspace, binary, .. } => Some((*workspace, binary)),
            Self::Bootstrap(_) => None,
        }
    }
}

/// Returns the binary of the template's own workspace that contains `function`.
fn binary_in_workspace(workspace: &Workspace, function: &Function, each: bool) -> Option<Program> {
    let name = function.binary.clone()?;
    match &workspace.settings.multicall {
        Some(binary) if !each => {
            Some(Program::Multicall { workspace: 0, binary: binary.clone(), name })
        }
        _ => workspace.has_binary(&name).then_some(Program::Binary { workspace: 0, name }),
    }
}

/// Returns the `bootstrap` in `folder`, if it is an executable file.
fn bootstrap(folder: &Path) -> Option<Program> {
    let file = folder.join("bootstrap");
    let metadata = file.metadata().ok()?;
    let executable = metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
    executable.then_some(Program::Bootstrap(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, TempDir};

    fn function(name: &str, code_uri: &str, binary: Option<&str>) -> Function {
        Function {
            code_uri: code_uri.into(),
            binary: binary.map(Into::into),
            ..testing::function(name, Vec::new())
        }
    }

    fn write(directory: &TempDir, file: &str, text: &str) -> PathBuf {
        let path = directory.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn binary(workspace: usize, name: &str) -> Program {
        Program::Binary { workspace, name: name.into() }
    }

    async fn programs(directory: &TempDir, functions: &[Function]) -> Result<Vec<Program>> {
        let workspace = Workspace::find(&directory.0).await?;
        Programs::find(&directory.0, workspace, functions, false).await.map(|p| p.programs)
    }

    #[tokio::test]
    async fn without_a_cargo_package_an_executable_bootstrap_is_the_program() {
        let directory = TempDir::new();
        let bootstrap = write(&directory, "greet/bootstrap", "#!/bin/sh\n");
        let greet = [function("greet", "greet/", Some("greet"))];
        let error = programs(&directory, &greet).await.unwrap_err().to_string();
        assert!(error.starts_with("no program for Resources.greet (CodeUri greet/): "), "{error}");
        std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).unwrap();
        let bootstrap = bootstrap.canonicalize().unwrap();
        assert_eq!(programs(&directory, &greet).await.unwrap(), [Program::Bootstrap(bootstrap)]);
    }

    #[tokio::test]
    async fn every_function_without_a_program_is_named_at_once() {
        let directory = TempDir::new();
        let functions = [function("A", ".", None), function("B", "b", Some("b"))];
        let error = programs(&directory, &functions).await.unwrap_err().to_string();
        let expected = "no program for Resources.A (CodeUri .), Resources.B (CodeUri b): ";
        assert!(error.starts_with(expected), "{error}");
    }

    #[tokio::test]
    async fn binaries_come_from_the_workspace_or_from_the_package_at_the_code_uri() {
        let directory = TempDir::new();
        write(
            &directory,
            "Cargo.toml",
            "[package]\nname = \"shop\"\nedition = \"2024\"\n[workspace]\nexclude = [\"apart\"]\n",
        );
        write(&directory, "src/bin/orders.rs", "fn main() {}");
        write(&directory, "src/bin/shop.rs", "fn main() {}");
        write(&directory, "target/lambda/orders/bootstrap", "for another processor");
        write(&directory, "apart/Cargo.toml", "[package]\nname = \"mail\"\nedition = \"2024\"\n");
        write(&directory, "apart/src/main.rs", "fn main() {}");
        let functions = [
            function("orders", "target/lambda/orders/", Some("orders")),
            function("Root", ".", None),
            function("Named", "./", Some("orders")),
            function("Mail", "./apart", Some("apart")),
        ];
        assert_eq!(
            programs(&directory, &functions).await.unwrap(),
            [binary(0, "orders"), binary(0, "shop"), binary(0, "orders"), binary(1, "mail")]
        );
    }
}
