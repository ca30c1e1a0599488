//! The Lambda `live-default`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::socket(functions::live::default::handle)
}
