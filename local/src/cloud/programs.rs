//! Which program each function runs: a binary that Cargo builds, or a `bootstrap` that is there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cargo::{Progress, Workspace};
use crate::data_dir::DataDir;
use crate::model::Function;

/// The program of every function, in the functions' order.
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
    /// As `Binary`, for a binary that is several functions and sees from `name`, the name under
    /// which it is started, which one it is to be.
    Multicall { workspace: usize, binary: String, name: String },
    /// An executable file.
    Bootstrap(PathBuf),
}

impl Programs {
    /// Finds the program of each function of the template in `directory`, the first of these that
    /// is there:
    ///
    /// 1. a binary of the Cargo package that `CodeUri` names;
    /// 2. a binary of the workspace that the template belongs to (`workspace`), by the last part of
    ///    `CodeUri`, or its multi-call binary unless `each` function is to run its own;
    /// 3. the executable `bootstrap` in the folder that `CodeUri` names.
    ///
    /// A folder that `cargo lambda build` filled for a deployment has a `bootstrap`, too, and
    /// perhaps for another processor: that is why it comes last.
    ///
    /// # Errors
    /// One sentence that names every function without a program.
    pub(super) async fn find(
        directory: &Path,
        workspace: Option<Workspace>,
        functions: &[Function],
        each: bool,
    ) -> Result<Self> {
        let mut found = Self { workspaces: workspace.into_iter().collect(), programs: Vec::new() };
        let mut missing = Vec::new();
        let own = found.workspaces.len();
        for function in functions {
            let folder = directory.join(&function.code_uri);
            let folder = folder.canonicalize().unwrap_or(folder);
            let program = match found.package(&folder, function).await? {
                Some(program) => Some(program),
                None => found
                    .workspaces
                    .first()
                    .filter(|_| own == 1)
                    .and_then(|workspace| member(workspace, function, each))
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
                "no program for {}: CodeUri has to end in the name of a binary of the Cargo \
                 workspace, or name a folder with a Cargo package (and \
                 Metadata.BuildProperties.Binary, if that has several binaries) or with an \
                 executable `bootstrap`",
                missing.join(", ")
            );
        }
        Ok(found)
    }

    /// The binary of the Cargo package in `folder`, if there is one.
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

    /// Builds what Cargo has to build.
    ///
    /// # Errors
    /// When a binary does not build; Cargo has explained it by then.
    pub(super) async fn build(&self, release: bool, progress: Progress) -> Result<()> {
        for (workspace, binaries) in self.binaries() {
            workspace.build(&binaries, release, progress).await?;
        }
        Ok(())
    }

    /// The files and folders with the code of what Cargo builds.
    pub(super) fn sources(&self) -> Vec<PathBuf> {
        self.binaries().flat_map(|(workspace, binaries)| workspace.sources(&binaries)).collect()
    }

    /// The files that [`Programs::build`] writes.
    pub(super) fn built(&self, release: bool) -> Vec<PathBuf> {
        let built = self.binaries().flat_map(|(workspace, binaries)| {
            binaries.into_iter().map(move |name| workspace.path(name, release))
        });
        built.collect()
    }

    /// The binaries that Cargo builds, by workspace.
    fn binaries(&self) -> impl Iterator<Item = (&Workspace, Vec<&str>)> {
        self.workspaces.iter().enumerate().filter_map(|(index, workspace)| {
            let mut binaries: Vec<&str> = Vec::new();
            for program in &self.programs {
                if let Some((of, binary)) = program.binary()
                    && of == index
                    && !binaries.contains(&binary)
                {
                    binaries.push(binary);
                }
            }
            (!binaries.is_empty()).then_some((workspace, binaries))
        })
    }

    /// The file to start for each function.
    ///
    /// # Errors
    /// When a binary has not been built, or `data_dir` cannot be written.
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

    /// What runs the functions, in words.
    pub(super) fn describe(&self, release: bool) -> String {
        let profile = if release { "optimised" } else { "not optimised" };
        let multicall = self.programs.iter().find_map(|program| match program {
            Program::Multicall { binary, .. } => Some(binary),
            _ => None,
        });
        let built = self.programs.iter().any(|program| program.binary().is_some());
        match multicall {
            Some(binary) => format!("all of them the binary {binary}, {profile}"),
            None if built => format!("each a binary of its own, {profile}"),
            None => "each a bootstrap of its own".to_owned(),
        }
    }
}

impl Program {
    /// The index of the workspace and the binary to build there.
    fn binary(&self) -> Option<(usize, &str)> {
        match self {
            Self::Binary { workspace, name: binary }
            | Self::Multicall { workspace, binary, .. } => Some((*workspace, binary)),
            Self::Bootstrap(_) => None,
        }
    }
}

/// The binary of the template's own workspace that is `function`.
fn member(workspace: &Workspace, function: &Function, each: bool) -> Option<Program> {
    let name = function.binary.clone()?;
    match &workspace.settings.multicall {
        Some(binary) if !each => {
            Some(Program::Multicall { workspace: 0, binary: binary.clone(), name })
        }
        _ => workspace.has_binary(&name).then_some(Program::Binary { workspace: 0, name }),
    }
}

/// The `bootstrap` in `folder`, if it may be executed.
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
    async fn a_bootstrap_is_run_where_there_is_no_cargo_project() {
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
    async fn binaries_are_those_of_the_workspace_or_of_the_package_at_the_code_uri() {
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
