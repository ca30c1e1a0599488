//! The Lambda `docs-problems`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::docs::problems::handle)
}
