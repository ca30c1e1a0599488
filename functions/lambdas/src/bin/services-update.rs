//! The Lambda `services-update`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::services::update::handle)
}
