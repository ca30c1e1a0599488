//! The Lambda `users-delete`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::users::delete::handle)
}
