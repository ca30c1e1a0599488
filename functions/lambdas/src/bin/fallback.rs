//! The Lambda `fallback`.

fn main() -> std::process::ExitCode {
    functions::http::serve_default(functions::site::fallback::handle)
}
