//! The Lambda `docs-files`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::docs::files::handle)
}
