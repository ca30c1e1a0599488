//! The Lambda `live-fan-out`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::batch(functions::live::fan_out::handle)
}
