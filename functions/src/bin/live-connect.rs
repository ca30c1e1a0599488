//! The Lambda `live-connect`.

fn main() -> std::process::ExitCode {
    functions::events::socket(functions::live::connect::handle)
}
