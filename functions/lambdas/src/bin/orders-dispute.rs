//! The Lambda `orders-dispute`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::dispute::handle)
}
