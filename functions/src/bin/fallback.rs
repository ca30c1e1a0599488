//! The Lambda `fallback`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::site::fallback::handle)
}
