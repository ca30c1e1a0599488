//! The Lambda `seed`.

fn main() -> std::process::ExitCode {
    functions::events::invoked(functions::seed::handle)
}
