//! The Lambda `payments-reconcile`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::direct(functions::payments::reconcile::handle)
}
