//! The Lambda `users-list`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::users::list::handle)
}
