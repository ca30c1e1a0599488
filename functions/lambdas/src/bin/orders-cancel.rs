//! The Lambda `orders-cancel`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::cancel::handle)
}
