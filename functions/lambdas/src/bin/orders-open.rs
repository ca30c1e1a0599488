//! The Lambda `orders-open`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::open::handle)
}
