//! The Lambda `orders-accept`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::accept::handle)
}
