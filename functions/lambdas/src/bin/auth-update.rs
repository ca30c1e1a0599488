//! The Lambda `auth-update`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::auth::update::handle)
}
