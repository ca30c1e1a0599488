//! All functions in one binary, for laptops and tests, which link it once instead of dozens of
//! binaries. Started under a function's name (`argv[0]`, as busybox does), it runs that function.
//! `marketplace openapi` prints the API description. Nothing deploys it.

use std::path::Path;
use std::process::ExitCode;

use functions::registry::{ALL, description};

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let started_as = arguments.next().unwrap_or_default();
    let name = Path::new(&started_as).file_name().and_then(|n| n.to_str()).unwrap_or_default();
    if let Some(function) = ALL.iter().find(|function| function.name == name) {
        return (function.run)();
    }
    if arguments.next().as_deref() == Some("openapi") {
        println!("{:#}", description());
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "There is no function `{name}`. Start this binary through a symbolic link that is named \
         after a function, or as `{name} openapi` to print the API description."
    );
    ExitCode::FAILURE
}
