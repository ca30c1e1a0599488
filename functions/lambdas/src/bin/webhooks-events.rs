//! The Lambda `webhooks-events`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::webhooks::events::handle)
}
