//! The Lambda `live-notify`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::batch(functions::live::notify::handle)
}
