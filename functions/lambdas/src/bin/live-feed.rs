//! The Lambda `live-feed`.

fn main() -> std::process::ExitCode {
    functions::http::serve(functions::live::feed::handle)
}
