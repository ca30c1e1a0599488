//! `stripe-local`: the stand-in for Stripe as a program.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use stripe_local::{API_VERSION, Log, Options, PUBLISHABLE_KEY, SECRET_KEY};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A stand-in for Stripe's payments API, for development and tests. It moves no money and calls
/// nothing but the webhook endpoint.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The port to listen on. 0 means any free port.
    #[arg(long, default_value_t = 8003)]
    port: u16,

    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,

    /// The http:// URL that webhooks are posted to. Without it, no webhooks are sent, and events
    /// can only be listed.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,

    /// The secret that webhooks are signed with.
    #[arg(long, value_name = "SECRET", default_value = "whsec_local")]
    webhook_secret: String,

    /// A secret key that the API accepts. Can be repeated.
    #[arg(long = "secret-key", value_name = "KEY", default_value = SECRET_KEY)]
    secret_keys: Vec<String>,

    /// A publishable key that the API accepts. Can be repeated.
    #[arg(long = "publishable-key", value_name = "KEY", default_value = PUBLISHABLE_KEY)]
    publishable_keys: Vec<String>,

    /// The file in which everything is stored for the next start. Without it, everything is in
    /// memory.
    #[arg(long, value_name = "FILE")]
    data_file: Option<PathBuf>,

    /// The API version that events name.
    #[arg(long, value_name = "VERSION", default_value = API_VERSION)]
    api_version: String,
}

impl Cli {
    fn into_options(self) -> Options {
        let mut options = Options::new(self.webhook_url, self.webhook_secret, self.data_file);
        options.secret_keys = self.secret_keys;
        options.publishable_keys = self.publishable_keys;
        options.api_version = self.api_version;
        options
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let listener = TcpListener::bind((cli.address, cli.port))
        .await
        .with_context(|| format!("cannot listen on {}:{}", cli.address, cli.port))?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let running =
        stripe_local::start(listener, cli.into_options(), Log::stderr(), stop.clone()).await?;
    println!("stripe-local listens on {url}");
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    stop.cancel();
    running.await?;
    println!("stripe-local has stopped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        let cli = Cli::try_parse_from(["stripe-local"].iter().chain(arguments));
        cli.expect("valid arguments").into_options()
    }

    #[test]
    fn without_arguments_the_options_are_the_librarys_defaults() {
        let defaults = Options::new(None, "whsec_local", None);
        assert_eq!(format!("{:?}", options(&[])), format!("{defaults:?}"));
    }

    #[test]
    fn keys_in_arguments_replace_the_default_ones() {
        let keys = options(&["--secret-key", "sk_test_a", "--secret-key", "sk_test_b"]);
        assert_eq!(keys.secret_keys, ["sk_test_a", "sk_test_b"]);
        assert_eq!(keys.publishable_keys, [PUBLISHABLE_KEY]);
    }
}
