//! The Lambda `webhooks-stripe`.

fn main() -> std::process::ExitCode {
    functions::http::serve_webhook(functions::webhooks::stripe::handle)
}
