//! The Lambda `payments-cancel`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::payments::cancel::handle)
}
