//! The Lambda `live-ticket`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::live::ticket::handle)
}
