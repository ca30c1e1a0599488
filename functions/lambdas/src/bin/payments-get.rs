//! The Lambda `payments-get`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::payments::get::handle)
}
