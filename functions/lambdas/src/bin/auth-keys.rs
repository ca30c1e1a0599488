//! The Lambda `auth-keys`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::auth::keys::handle)
}
