//! The ports of one run, bound before anything slow happens.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;

use crate::cli::Cli;
use crate::model::Project;

/// The listeners of what this run serves. Connections wait until a server accepts them.
#[derive(Debug)]
pub(super) struct Ports {
    /// The HTTP API, when the template has one.
    pub(super) http: Option<TcpListener>,
    /// The WebSocket API, when the template has one.
    pub(super) ws: Option<TcpListener>,
    /// DynamoDB.
    pub(super) dynamodb: TcpListener,
    /// The stand-in for Stripe, if it runs.
    pub(super) stripe: Option<TcpListener>,
    /// The Invoke API and `@connections`.
    pub(super) invoke: TcpListener,
}

impl Ports {
    /// Binds the ports that `project` needs, with the numbers in `cli`. Binds one for the stand-in
    /// for Stripe if `stripe` is set.
    ///
    /// # Errors
    /// When a port can't be bound; the message names it and the flag that chooses another.
    pub(super) async fn take(cli: &Cli, project: &Project, stripe: bool) -> Result<Self> {
        Ok(Self {
            http: bind_if(project.http_api.is_some(), cli.http_port, "--http-port").await?,
            ws: bind_if(project.websocket_api.is_some(), cli.ws_port, "--ws-port").await?,
            dynamodb: bind(cli.dynamodb_port(), "--dynamodb-port").await?,
            stripe: bind_if(stripe, cli.stripe_port(), "--stripe-port").await?,
            invoke: bind(cli.invoke_port(), "--invoke-port").await?,
        })
    }
}

async fn bind_if(needed: bool, port: u16, flag: &str) -> Result<Option<TcpListener>> {
    if needed { bind(port, flag).await.map(Some) } else { Ok(None) }
}

async fn bind(port: u16, flag: &str) -> Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!(
                "port {port} is taken: stop the program that uses it, or choose another port with \
                 {flag} (0 for any free one)"
            )
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on port {port} ({flag})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_error_for_a_taken_port_names_its_flag() {
        let taken = bind(0, "--http-port").await.unwrap().local_addr().unwrap().port();
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, taken)).await.unwrap();
        let error = bind(taken, "--http-port").await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("port {taken} is taken")) && error.contains("--http-port"),
            "{error}"
        );
        drop(held);
    }
}
