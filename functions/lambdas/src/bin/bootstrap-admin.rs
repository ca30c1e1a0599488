//! The Lambda `bootstrap-admin`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::invoked(functions::operations::bootstrap_admin::handle)
}
