//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use http::Uri;

/// The cloud on one machine: builds the functions of a SAM template, runs them, and serves
/// everything they need.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo local", bin_name = "cargo local", version)]
pub struct Cli {
    /// Port of the HTTP API. 0 is any free port, here and for the other ports.
    #[arg(long, default_value_t = 8000)]
    pub(crate) http_port: u16,

    /// Port of the WebSocket API.
    #[arg(long, default_value_t = 8001)]
    pub(crate) ws_port: u16,

    /// Port of DynamoDB [default: 8002, or any if --http-port is 0].
    #[arg(long)]
    pub(crate) dynamodb_port: Option<u16>,

    /// Port of the stand-in for Stripe [default: 8003, or any if --http-port is 0].
    #[arg(long)]
    pub(crate) stripe_port: Option<u16>,

    /// Port of the Lambda Invoke API and of @connections [default: 8004, or any if --http-port is
    /// 0].
    #[arg(long)]
    pub(crate) invoke_port: Option<u16>,

    /// Keep nothing: the database is in memory.
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) ephemeral: bool,

    /// Where data is kept, so that the next start continues where this one stopped [default: .local
    /// beside the template].
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Build and run the functions optimised.
    #[arg(long)]
    pub(crate) release: bool,

    /// Build and run each function's own binary, as deployed, instead of the one binary that is all
    /// of them.
    #[arg(long)]
    pub(crate) each: bool,

    /// Run the binaries that are there, and do not rebuild them when code changes.
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Do not rebuild and replace functions when their code changes.
    #[arg(long)]
    pub(crate) no_watch: bool,

    /// Send invocations to this Lambda Invoke API instead of running functions:
    /// <http://localhost:9000> is `cargo lambda watch`.
    #[arg(long, value_name = "URL", conflicts_with_all = ["release", "each"])]
    pub(crate) functions: Option<String>,

    /// Use another DynamoDB: DynamoDB Local (http://...), or AWS
    /// (<https://dynamodb.REGION.amazonaws.com>).
    #[arg(long, value_name = "URL")]
    pub(crate) dynamodb: Option<Uri>,

    /// Do not add sample data.
    #[arg(long)]
    pub(crate) no_seed: bool,

    /// Browser origins that may call the HTTP API and open sockets, separated by commas: the
    /// template's parameter `AllowedOrigins`.
    #[arg(long, value_name = "LIST")]
    pub(crate) allowed_origins: Option<String>,

    /// A value of a parameter of the template. May be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) parameters: Vec<(String, String)>,

    /// Log details: give functions the variables of `verbose` in [workspace.metadata.local].
    #[arg(long)]
    pub(crate) verbose: bool,

    /// Print one line of JSON on stdout when everything answers, and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,

    /// The template.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,

    /// Values of your own for the functions' environment [default: .env beside the template, if it
    /// is there].
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// A value for a variable that the template gives to functions; it wins over every file. May be
    /// repeated.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) env: Vec<(String, String)>,

    /// End when standard input is closed, as it is when the program that started this one dies.
    #[arg(long)]
    pub(crate) exit_with_stdin: bool,

    /// Seconds a WebSocket connection may be idle (API Gateway: 600).
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) ws_idle_timeout: Option<Duration>,

    /// Seconds a WebSocket connection may last (API Gateway: 7200).
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
    /// The port asked for, or that of this offset from the HTTP API's usual one.
    fn port(&self, asked: Option<u16>, usual: u16) -> u16 {
        asked.unwrap_or(if self.http_port == 0 { 0 } else { usual })
    }

    /// The values of the template's parameters that flags give.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        let origins = self.allowed_origins.iter();
        let origins = origins.map(|list| ("AllowedOrigins".to_owned(), list.clone()));
        self.parameters.iter().cloned().chain(origins)
    }

    /// Port of DynamoDB.
    pub(crate) fn dynamodb_port(&self) -> u16 {
        self.port(self.dynamodb_port, 8002)
    }

    /// Port of the stand-in for Stripe.
    pub(crate) fn stripe_port(&self) -> u16 {
        self.port(self.stripe_port, 8003)
    }

    /// Port of the Lambda Invoke API and of `@connections`.
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
    fn ports_are_fixed_unless_the_http_api_has_any() {
        let ports = |cli: &Cli| {
            [cli.http_port, cli.ws_port, cli.dynamodb_port(), cli.stripe_port(), cli.invoke_port()]
        };
        assert_eq!(ports(&parse(&[]).unwrap()), [8000, 8001, 8002, 8003, 8004]);
        assert_eq!(ports(&parse(&["--http-port", "0", "--ws-port", "0"]).unwrap()), [0; 5]);
        let some = parse(&["--http-port", "0", "--stripe-port", "9003"]).unwrap();
        assert_eq!(ports(&some), [0, 8001, 0, 9003, 0]);
    }

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
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
    fn origins_are_a_parameter_of_the_template() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let cli = parse(&["--allowed-origins", "http://a,http://b", "--parameter", "Stage=dev"]);
        let parameters: Vec<_> = cli.unwrap().parameters().collect();
        assert_eq!(parameters, [pair("Stage", "dev"), pair("AllowedOrigins", "http://a,http://b")]);
    }

    #[test]
    fn values_of_variables_may_be_given_again_and_again() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let cli = parse(&["--env", "A=1=2", "--env", "B="]).unwrap();
        assert_eq!(cli.env, [pair("A", "1=2"), pair("B", "")]);
        for wrong in ["A", "=1", ""] {
            assert!(parse(&["--env", wrong]).is_err(), "{wrong}");
        }
    }
}
