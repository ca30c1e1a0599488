//! The Lambda `live-default`.

fn main() -> std::process::ExitCode {
    functions::events::socket(functions::live::default::handle)
}
