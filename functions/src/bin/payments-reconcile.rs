//! The Lambda `payments-reconcile`.

fn main() -> std::process::ExitCode {
    functions::events::invoked(functions::payments::reconcile::handle)
}
