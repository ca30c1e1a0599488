//! The Lambda `live-disconnect`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::socket(functions::live::disconnect::handle)
}
