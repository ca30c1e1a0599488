//! The Lambda `docs-openapi`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::docs::openapi::handle)
}
