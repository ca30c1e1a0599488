//! The Lambda `orders-release`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::release::handle)
}
