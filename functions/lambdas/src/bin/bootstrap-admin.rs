//! The Lambda `bootstrap-admin`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::direct(functions::operations::bootstrap_admin::handle)
}
