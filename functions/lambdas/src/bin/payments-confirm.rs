//! The Lambda `payments-confirm`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::payments::confirm::handle)
}
