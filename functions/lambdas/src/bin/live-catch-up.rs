//! The Lambda `live-catch-up`.

fn main() -> std::process::ExitCode {
    functions::runtime::events::batch(functions::live::catch_up::handle)
}
