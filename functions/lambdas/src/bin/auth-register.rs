//! The Lambda `auth-register`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::auth::register::handle)
}
