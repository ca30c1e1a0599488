//! The Lambda `messages-list`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::messages::list::handle)
}
