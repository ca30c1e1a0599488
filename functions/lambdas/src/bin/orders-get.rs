//! The Lambda `orders-get`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::get::handle)
}
