//! The Lambda `services-get`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::services::get::handle)
}
