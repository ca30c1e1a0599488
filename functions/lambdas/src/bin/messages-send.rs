//! The Lambda `messages-send`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::messages::send::handle)
}
