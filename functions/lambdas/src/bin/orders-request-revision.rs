//! The Lambda `orders-request-revision`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::request_revision::handle)
}
