//! The command-line flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use http::Uri;

/// Runs a SAM project on this machine: builds its functions, runs them, and serves the AWS services
/// that they use.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo local", bin_name = "cargo local", version)]
pub struct Cli {
    /// Port of the HTTP API. Here and for the other ports, 0 means any free port.
    #[arg(long, default_value_t = 8000)]
    pub(crate) http_port: u16,

    /// Port of the WebSocket API.
    #[arg(long, default_value_t = 8001)]
    pub(crate) ws_port: u16,

    /// Port of DynamoDB [default: 8002, or any free port if --http-port is 0].
    #[arg(long)]
    pub(crate) dynamodb_port: Option<u16>,

    /// Port of the stand-in for Stripe [default: 8003, or any free port if --http-port is 0].
    #[arg(long)]
    pub(crate) stripe_port: Option<u16>,

    /// Port of the Lambda Invoke API and of @connections [default: 8004, or any free port if
    /// --http-port is 0].
    #[arg(long)]
    pub(crate) invoke_port: Option<u16>,

    /// Keep nothing after the run. The built-in database is in memory.
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) ephemeral: bool,

    /// Directory for data, so that the next run continues where this one stopped [default: .local
    /// next to the template].
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Build the functions with optimizations.
    #[arg(long)]
    pub(crate) release: bool,

    /// Build and run each function's own binary, as in a deployment, instead of one binary that
    /// contains all functions.
    #[arg(long)]
    pub(crate) each: bool,

    /// Run the existing binaries, without building them at the start or when code changes.
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Do not rebuild functions when their code changes.
    #[arg(long)]
    pub(crate) no_watch: bool,

    /// Send invocations to this Lambda Invoke API instead of running the functions. `cargo lambda
    /// watch` serves one at `http://localhost:9000`.
    #[arg(long, value_name = "URL", conflicts_with_all = ["release", "each"])]
    pub(crate) functions: Option<String>,

    /// Use another DynamoDB instead of the built-in one: DynamoDB Local (http://...), or AWS
    /// (`https://dynamodb.REGION.amazonaws.com`).
    #[arg(long, value_name = "URL")]
    pub(crate) dynamodb: Option<Uri>,

    /// Do not add sample data.
    #[arg(long)]
    pub(crate) no_seed: bool,

    /// Browser origins that may call the HTTP API and open WebSockets, separated by commas. Sets
    /// the template's parameter `AllowedOrigins`.
    #[arg(long, value_name = "LIST")]
    pub(crate) allowed_origins: Option<String>,

    /// Set a parameter of the template. May be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) parameters: Vec<(String, String)>,

    /// Log more: metrics, and what functions log with the environment variables that `verbose`
    /// sets in [workspace.metadata.local] of Cargo.toml.
    #[arg(long)]
    pub(crate) verbose: bool,

    /// When everything is ready, print one line of JSON on stdout instead of the summary.
    #[arg(long)]
    pub(crate) json: bool,

    /// The SAM template.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,

    /// File with your own values for the functions' environment variables [default: .env next to
    /// the template, if it exists].
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// Set an environment variable that the template gives to functions. Takes precedence over all
    /// files. May be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) env: Vec<(String, String)>,

    /// Stop when standard input closes, which happens when the program that started this one ends.
    #[arg(long)]
    pub(crate) exit_with_stdin: bool,

    /// How many seconds a WebSocket connection may be idle [default: 600, as on AWS].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) ws_idle_timeout: Option<Duration>,

    /// How many seconds a WebSocket connection may last [default: 7200, as on AWS].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) ws_max_duration: Option<Duration>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("not of the form NAME=VALUE".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

impl Cli {
    /// Returns the port `given` by a flag. Without the flag, returns `default`, unless
    /// `--http-port` is 0: then this port is 0 too (any free port).
    fn port(&self, given: Option<u16>, default: u16) -> u16 {
        given.unwrap_or(if self.http_port == 0 { 0 } else { default })
    }

    /// Returns the parameters of the template that flags set.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        let origins = self.allowed_origins.iter();
        let origins = origins.map(|list| ("AllowedOrigins".to_owned(), list.clone()));
        self.parameters.iter().cloned().chain(origins)
    }

    /// Returns the port of DynamoDB.
    pub(crate) fn dynamodb_port(&self) -> u16 {
        self.port(self.dynamodb_port, 8002)
    }

    /// Returns the port of the stand-in for Stripe.
    pub(crate) fn stripe_port(&self) -> u16 {
        self.port(self.stripe_port, 8003)
    }

    /// Returns the port of the Lambda Invoke API and of `@connections`.
    pub(crate) fn invoke_port(&self) -> u16 {
        self.port(self.invoke_port, 8004)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["cargo local"].iter().chain(arguments))
    }

    #[test]
    fn ports_are_fixed_unless_the_http_port_is_0() {
        let ports = |cli: &Cli| {
            [cli.http_port, cli.ws_port, cli.dynamodb_port(), cli.stripe_port(), cli.invoke_port()]
        };
        assert_eq!(ports(&parse(&[]).unwrap()), [8000, 8001, 8002, 8003, 8004]);
        assert_eq!(ports(&parse(&["--http-port", "0", "--ws-port", "0"]).unwrap()), [0; 5]);
        let some = parse(&["--http-port", "0", "--stripe-port", "9003"]).unwrap();
        assert_eq!(ports(&some), [0, 8001, 0, 9003, 0]);
    }

    #[test]
    fn conflicting_flags_and_negative_durations_are_rejected() {
        for arguments in
            [&["--ephemeral", "--data-dir", "x"][..], &["--functions", "http://x", "--each"]]
        {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
        assert!(parse(&["--ws-idle-timeout", "-1"]).is_err());
        assert_eq!(
            parse(&["--ws-idle-timeout", "0.5"]).unwrap().ws_idle_timeout,
            Some(Duration::from_millis(500))
        );
    }

    #[test]
    fn allowed_origins_set_a_parameter_of_the_template() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let cli = parse(&["--allowed-origins", "http://a,http://b", "--parameter", "Stage=dev"]);
        let parameters: Vec<_> = cli.unwrap().parameters().collect();
        assert_eq!(parameters, [pair("Stage", "dev"), pair("AllowedOrigins", "http://a,http://b")]);
    }

    #[test]
    fn the_env_flag_may_be_repeated() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let cli = parse(&["--env", "A=1=2", "--env", "B="]).unwrap();
        assert_eq!(cli.env, [pair("A", "1=2"), pair("B", "")]);
        for wrong in ["A", "=1", ""] {
            assert!(parse(&["--env", wrong]).is_err(), "{wrong}");
        }
    }
}
