//! The Lambda `seed`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::invoked(functions::operations::seed::handle)
}
