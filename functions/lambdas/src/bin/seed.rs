//! The Lambda `seed`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::direct(functions::operations::seed::handle)
}
