//! The Lambda `auth-password`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::auth::password::handle)
}
