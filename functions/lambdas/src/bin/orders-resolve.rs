//! The Lambda `orders-resolve`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::resolve::handle)
}
