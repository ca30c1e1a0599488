//! The Lambda `users-create`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::users::create::handle)
}
