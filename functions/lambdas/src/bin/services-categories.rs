//! The Lambda `services-categories`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::services::categories::handle)
}
