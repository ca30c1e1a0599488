//! The Lambda `orders-timers`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::direct(functions::orders::timers::handle)
}
