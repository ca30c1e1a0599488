//! `cargo local`: builds the local cloud and the functions with one Cargo command, then becomes the
//! local cloud.
//!
//! Cargo chooses a dependency's features for the packages that one command selects. Two commands,
//! one a package, would compile what both packages use twice. The local cloud rebuilds the
//! functions with the same selection (`local/src/cargo.rs`).

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Selects the packages whose features are unified.
const SELECTION: [&str; 4] = ["--package", "local", "--package", "lambdas"];

/// The local cloud, and the one binary that holds all functions.
const CLOUD: [&str; 2] = ["--bin", "local"];
const FUNCTIONS: [&str; 2] = ["--bin", "marketplace"];

/// With one of these, the local cloud runs other functions than the debug build of `FUNCTIONS`, or
/// none.
const OTHER_FUNCTIONS: [&str; 8] =
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

/// Builds, and becomes the local cloud. Returns only when one of them fails.
fn launch(arguments: &[OsString]) -> io::Result<ExitCode> {
    // Cargo puts all programs of a profile into one folder.
    let cloud = env::current_exe()?.with_file_name("local");
    if !cloud.exists() {
        eprintln!(
            "Builds the local cloud and the functions, starts them, and adds sample data.\n\
             The first build compiles some 300 crates, which takes about 3 minutes on 2 cores;\n\
             later builds take seconds.\n"
        );
    }
    let mut build = cargo();
    build.arg("build").args(SELECTION).args(CLOUD);
    if !runs_other_functions(arguments) {
        build.args(FUNCTIONS);
    }
    if !build.status()?.success() {
        return Ok(ExitCode::FAILURE);
    }
    Err(become_the_cloud(&cloud, arguments))
}

/// Replaces this process, so that signals and standard input reach the local cloud.
fn become_the_cloud(cloud: &Path, arguments: &[OsString]) -> io::Error {
    let mut command = Command::new(cloud);
    forget_cargo_run(&mut command);
    let error = command.args(arguments).exec();
    io::Error::new(error.kind(), format!("can't start {}: {error}", cloud.display()))
}

fn runs_other_functions(arguments: &[OsString]) -> bool {
    let flags = arguments.iter().filter_map(|argument| argument.to_str());
    flags.into_iter().any(|argument| {
        OTHER_FUNCTIONS.iter().any(|flag| {
            argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    })
}

fn cargo() -> Command {
    let program = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(program);
    forget_cargo_run(&mut command);
    command
}

/// Removes what `cargo run` tells the program it runs. Build scripts watch some of these variables
/// (ring's does), and would run again whenever Cargo is started another way.
fn forget_cargo_run(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_cargo_run(name)) {
        command.env_remove(name);
    }
}

fn is_of_cargo_run(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_built_along_unless_others_are_run() {
        let others = |flags: &[&str]| {
            runs_other_functions(&flags.iter().map(OsString::from).collect::<Vec<_>>())
        };
        assert!(!others(&[]) && !others(&["--ephemeral", "--env", "A=--each", "--functionsx"]));
        assert!(others(&["--ephemeral", "--each"]));
        assert!(others(&["--functions=http://localhost:9000"]));
    }
}
