//! The Lambda `orders-complete`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::complete::handle)
}
