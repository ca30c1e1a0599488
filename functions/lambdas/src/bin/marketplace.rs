//! All functions in one binary, for laptops and tests: it is started under a function's name
//! (`argv[0]`, as busybox does), and is that function. What is deployed are the other binaries of
//! this folder, one a function.

use std::path::Path;
use std::process::ExitCode;

use functions::registry::ALL;

fn main() -> ExitCode {
    let started_as = std::env::args().next().unwrap_or_default();
    let name = Path::new(&started_as).file_name().and_then(|n| n.to_str()).unwrap_or_default();
    match ALL.iter().find(|function| function.name == name) {
        Some(function) => (function.run)(),
        None => {
            eprintln!(
                "start this binary under the name of a function (a symbolic link): there is none named `{name}`"
            );
            ExitCode::FAILURE
        }
    }
}
