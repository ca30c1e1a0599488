//! The Lambda `orders-list`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::list::handle)
}
