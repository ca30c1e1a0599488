//! The Lambda `orders-reassign`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::reassign::handle)
}
