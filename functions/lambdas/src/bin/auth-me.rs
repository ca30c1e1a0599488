//! The Lambda `auth-me`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::auth::me::handle)
}
