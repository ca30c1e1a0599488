//! The Lambda `orders-events`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::events::handle)
}
