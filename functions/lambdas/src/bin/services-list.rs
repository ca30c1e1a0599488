//! The Lambda `services-list`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::services::list::handle)
}
