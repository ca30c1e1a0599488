//! The Lambda `webhooks-stripe`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::webhooks::stripe::handle)
}
