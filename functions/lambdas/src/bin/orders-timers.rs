//! The Lambda `orders-timers`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::invoked(functions::orders::timers::handle)
}
