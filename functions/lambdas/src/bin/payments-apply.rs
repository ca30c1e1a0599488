//! The Lambda `payments-apply`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::stream(functions::payments::apply::handle)
}
