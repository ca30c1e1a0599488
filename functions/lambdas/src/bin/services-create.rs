//! The Lambda `services-create`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::services::create::handle)
}
