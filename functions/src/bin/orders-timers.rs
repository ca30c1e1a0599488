//! The Lambda `orders-timers`.

fn main() -> std::process::ExitCode {
    functions::events::invoked(functions::orders::timers::handle)
}
