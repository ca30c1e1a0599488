//! The Lambda `auth-token`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::auth::token::handle)
}
