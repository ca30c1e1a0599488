//! The Lambda `docs-ui`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::docs::ui::handle)
}
