//! The Lambda `auth-logout`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::auth::logout::handle)
}
