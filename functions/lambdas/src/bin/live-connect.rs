//! The Lambda `live-connect`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::socket(functions::live::connect::handle)
}
