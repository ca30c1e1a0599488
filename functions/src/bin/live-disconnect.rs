//! The Lambda `live-disconnect`.

fn main() -> std::process::ExitCode {
    functions::events::socket(functions::live::disconnect::handle)
}
