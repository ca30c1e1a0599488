//! The Lambda `bootstrap-admin`.

fn main() -> std::process::ExitCode {
    functions::events::invoked(functions::bootstrap_admin::handle)
}
