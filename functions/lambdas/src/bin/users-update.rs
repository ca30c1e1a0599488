//! The Lambda `users-update`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::users::update::handle)
}
