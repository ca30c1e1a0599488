//! The Lambda `live-fan-out`.

fn main() -> std::process::ExitCode {
    functions::events::batch(functions::live::fan_out::handle)
}
