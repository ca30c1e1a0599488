//! An API Gateway WebSocket API: the handshake, messages to routes, the end of a connection, and
//! `@connections`.
//!
//! [`start`] serves the clients, and [`Running::management`] is the API through which functions
//! reach them. Each connection is one task ([`lifetime`]) from its handshake to its `$disconnect`.
//! Connections share only the registry of open connections, whose lock is never held across an
//! await. It behaves as AWS documents ([overview], [quotas], [routes], [binary]). On these points
//! the documentation is silent, and this implementation chooses:
//!
//! - The handshake is rejected with 502 if the `$connect` function fails or its reply has no valid
//!   `statusCode`, and with 504 if it exceeds the integration timeout. The body of a rejecting
//!   reply is not forwarded.
//! - Messages of one connection are handled concurrently. Each invokes its function at once, so
//!   they can overtake each other.
//! - Messages in either direction reset the idle timeout. Pings and pongs do not.
//! - If a client doesn't read and its buffer stays full for [`Quotas::buffer_wait`], `@connections`
//!   answers 429 `LimitExceededException` (documented as "the WebSocket client side buffer is
//!   full"). If one frame can't be written for [`Quotas::slow_client`], the connection is closed
//!   with 1008.
//! - If a connection ends while its `$connect` is running, its `$disconnect` runs if `$connect`
//!   accepts it.
//! - Only the reply of `$connect` is used. Route responses are not supported, and a template that
//!   has them is rejected.
//!
//! [overview]:
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-overview.html
//! [quotas]:
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
//! [routes]:
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
//! [binary]:
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html

mod connect;
mod connection;
mod end;
mod event;
mod faults;
mod gateway;
mod handshake;
mod id;
mod integration;
mod lifetime;
mod management;
mod quotas;
mod registry;
mod route;
mod socket;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::gateway::Gateway;
use crate::invoke::Invoke;
use crate::log::Log;
use crate::model::WebSocketApi;

pub use management::Authorize;
pub use quotas::Quotas;

/// A running WebSocket API.
pub struct Running {
    gateway: Arc<Gateway>,
}

/// Serves `api` to WebSocket clients on `listener` until `shutdown`, which closes every connection
/// with 1012.
///
/// # Errors
/// When the route selection expression is not of the form `$request.body.<path>`.
pub fn start(
    listener: TcpListener,
    api: WebSocketApi,
    quotas: Quotas,
    invoke: Arc<dyn Invoke>,
    log: Log,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let gateway = Arc::new(Gateway::new(api, quotas, invoke, log, shutdown)?);
    let clients = Router::new()
        .fallback(handshake::handshake)
        .with_state(Arc::clone(&gateway))
        .into_make_service_with_connect_info::<SocketAddr>();
    // Disables Nagle's algorithm. With it, the last frame of a message would wait for the
    // acknowledgement of the one before.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    let serve = axum::serve(listener, clients)
        .with_graceful_shutdown(gateway.shutdown.clone().cancelled_owned());
    let log = gateway.log.clone();
    gateway.tasks.spawn(async move {
        if let Err(error) = serve.await {
            log.line(
                "ws",
                None,
                &format!("the WebSocket API no longer accepts connections: {error}"),
            );
        }
    });
    Ok(Running { gateway })
}

impl Running {
    /// Returns the `@connections` API: `POST`, `GET` and `DELETE` of `/<stage>/@connections/<id>`,
    /// with or without the stage. `authorize` decides on signed requests (`SigV4`). Unsigned ones
    /// are refused, as on AWS.
    ///
    /// It also has the routes with which tests inject faults. `POST /_local/faults` with `{"fault",
    /// "method"?, "containing"?, "times"?}` makes the next requests fail, see [`faults::Fault`].
    /// `GET` lists the pending faults, and `DELETE` removes them all, or those with the given
    /// `?containing=`.
    pub fn management(&self, authorize: Authorize) -> Router {
        management::router(Arc::clone(&self.gateway), authorize)
            .merge(faults::router(Arc::clone(&self.gateway.faults)))
    }

    /// Waits until every connection is closed and its `$disconnect` has run, for at most
    /// [`Quotas::drain`]. Call it after the shutdown.
    pub async fn drained(self) {
        self.gateway.tasks.close();
        if tokio::time::timeout(self.gateway.quotas.drain, self.gateway.tasks.wait()).await.is_err()
        {
            self.gateway.log.line("ws", None, "stopped before every connection was closed");
        }
    }
}
