fn main() -> std::process::ExitCode {
    functions::http::serve(functions::services::list::handle)
}
