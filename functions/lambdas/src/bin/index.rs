//! The Lambda `index`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::site::index::handle)
}
