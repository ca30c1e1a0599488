//! The Lambda `orders-deliver`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::orders::deliver::handle)
}
