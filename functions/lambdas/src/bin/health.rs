//! The Lambda `health`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::site::health::handle)
}
