//! The Lambda `payments-apply`.

fn main() -> std::process::ExitCode {
    functions::events::stream(functions::payments::apply::handle)
}
