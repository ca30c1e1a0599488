//! The Lambda `payments-reconcile`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::invoked(functions::payments::reconcile::handle)
}
