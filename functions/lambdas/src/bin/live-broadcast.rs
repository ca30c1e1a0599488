//! The Lambda `live-broadcast`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::live::broadcast::handle)
}
