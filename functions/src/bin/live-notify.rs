//! The Lambda `live-notify`.

fn main() -> std::process::ExitCode {
    functions::events::batch(functions::live::notify::handle)
}
