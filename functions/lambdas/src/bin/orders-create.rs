//! The Lambda `orders-create`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::create::handle)
}
