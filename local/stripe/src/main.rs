//! `stripe-local`: the stand-in for Stripe as a program of its own.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use stripe_local::{Log, Options};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A stand-in for Stripe's payments API, for development and tests. It moves no money and calls
/// nobody but the webhook endpoint.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 8003)]
    port: u16,

    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,

    /// The endpoint that webhooks are posted to, an http:// URL. Without one, events are only
    /// listed.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,

    /// The secret that signs webhooks.
    #[arg(long, value_name = "SECRET", default_value = "whsec_local")]
    webhook_secret: String,

    /// The file that keeps everything for the next start. Without one, everything is in memory.
    #[arg(long, value_name = "FILE")]
    data_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let listener = TcpListener::bind((cli.address, cli.port))
        .await
        .with_context(|| format!("cannot listen on {}:{}", cli.address, cli.port))?;
    let url = format!("http://{}", listener.local_addr()?);
    let options = Options::new(cli.webhook_url, cli.webhook_secret, cli.data_file);
    let stop = CancellationToken::new();
    let running = stripe_local::start(listener, options, Log::stderr(), stop.clone()).await?;
    println!("stripe-local listens on {url}");
    tokio::signal::ctrl_c().await?;
    stop.cancel();
    running.await?;
    println!("stripe-local has stopped");
    Ok(())
}
