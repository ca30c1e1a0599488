//! The Lambda `services-delete`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::services::delete::handle)
}
