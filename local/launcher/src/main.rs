//! `cargo local`: builds the local cloud and the functions with one Cargo command, then becomes the
//! local cloud. Cargo chooses the features of dependencies for all packages that a command selects.
//! With a command for each package, it would compile shared dependencies twice. The local cloud
//! rebuilds the functions with the same selection (`local/src/cargo.rs`).

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The packages for which Cargo chooses the features of dependencies together.
const SELECTION: [&str; 4] = ["--package", "local", "--package", "lambdas"];

/// The binary of the local cloud.
const CLOUD: [&str; 2] = ["--bin", "local"];
/// The binary that contains all functions.
const FUNCTIONS: [&str; 2] = ["--bin", "marketplace"];

/// Flags that make building [`FUNCTIONS`] needless: the local cloud runs other programs, or none.
const FLAGS_WITHOUT_FUNCTIONS: [&str; 8] =
    ["--each", "--release", "--no-build", "--functions", "--help", "-h", "--version", "-V"];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match launch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the binaries, then becomes the local cloud. Returns only if one of these steps fails.
fn launch(arguments: &[OsString]) -> io::Result<ExitCode> {
    // Cargo puts all programs of a build profile into one folder.
    let cloud = env::current_exe()?.with_file_name("local");
    if !cloud.exists() {
        eprintln!(
            "This builds and starts the local cloud and the functions, and adds sample data.\n\
             The first build compiles about 300 crates, which takes about 3 minutes on 2 cores.\n\
             Later builds take seconds.\n"
        );
    }
    let mut build = cargo();
    build.arg("build").args(SELECTION).args(CLOUD);
    if needs_functions(arguments) {
        build.args(FUNCTIONS);
    }
    if !build.status()?.success() {
        return Ok(ExitCode::FAILURE);
    }
    Err(become_the_cloud(&cloud, arguments))
}

/// Replaces this process by the local cloud, so that signals and standard input reach it. Returns
/// only if that fails.
fn become_the_cloud(cloud: &Path, arguments: &[OsString]) -> io::Error {
    let mut command = Command::new(cloud);
    remove_cargo_run_variables(&mut command);
    let error = command.args(arguments).exec();
    io::Error::new(error.kind(), format!("can't start {}: {error}", cloud.display()))
}

/// Returns whether the local cloud runs the debug build of [`FUNCTIONS`].
fn needs_functions(arguments: &[OsString]) -> bool {
    let flags = arguments.iter().filter_map(|argument| argument.to_str());
    !flags.into_iter().any(|argument| {
        FLAGS_WITHOUT_FUNCTIONS.iter().any(|flag| {
            argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    })
}

fn cargo() -> Command {
    let program = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(program);
    remove_cargo_run_variables(&mut command);
    command
}

/// Removes the variables that `cargo run` sets for this program. Some build scripts, such as
/// ring's, depend on them, and would run again whenever Cargo is started in another way.
fn remove_cargo_run_variables(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| is_set_by_cargo_run(name)) {
        command.env_remove(name);
    }
}

fn is_set_by_cargo_run(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_built_unless_a_flag_makes_that_needless() {
        let needed =
            |flags: &[&str]| needs_functions(&flags.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(needed(&[]) && needed(&["--ephemeral", "--env", "A=--each", "--functionsx"]));
        assert!(!needed(&["--ephemeral", "--each"]));
        assert!(!needed(&["--functions=http://localhost:9000"]));
    }
}
