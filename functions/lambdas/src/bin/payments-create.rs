//! The Lambda `payments-create`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::payments::create::handle)
}
