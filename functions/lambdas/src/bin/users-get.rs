//! The Lambda `users-get`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::users::get::handle)
}
