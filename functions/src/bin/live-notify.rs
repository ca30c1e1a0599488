fn main() -> std::process::ExitCode {
    functions::events::stream(functions::live::notify::handle)
}
