//! An API Gateway WebSocket API: the handshake, messages to routes, the end of a connection, and
//! `@connections`.
//!
//! [`start`] serves the clients; [`Running::management`] is the API by which functions reach them.
//! A connection is one task ([`connection`]) from its handshake to its `$disconnect`; nothing is
//! shared between connections but the table of those that are open, whose lock is never held while
//! waiting.
//!
//! Where AWS documents the behaviour, this follows it ([overview], [quotas], [routes], [binary]).
//! Where it does not:
//!
//! - A `$connect` function that fails, or whose reply has no valid `statusCode`, refuses the
//!   handshake with 502; one that overruns the integration timeout with 504. A refusing reply's
//!   body is not forwarded.
//! - Messages of one connection are not serialised: each invokes its function at once, so they can
//!   overtake each other.
//! - Only messages, in either direction, keep a connection from being idle; pings and pongs do not.
//! - A client that does not read: `@connections` answers 429 `LimitExceededException` (documented
//!   as "the WebSocket client side buffer is full") once its buffer stays full for
//!   [`Quotas::buffer_wait`], and the connection is closed with 1008 when one frame cannot be
//!   written for [`Quotas::slow_client`].
//! - A connection that ends while its `$connect` is running gets its `$disconnect` if `$connect`
//!   accepted it.
//! - `$connect` is the only function whose reply is used: route responses are not supported (the
//!   template's reader refuses them).
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

/// A WebSocket API that is being served.
pub struct Running {
    gateway: Arc<Gateway>,
}

/// Serves `api` to WebSocket clients on `listener` until `shutdown`, which closes every connection
/// with 1012.
///
/// # Errors
///
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
    // Without Nagle's algorithm: the last frame of a message would wait for the acknowledgement of
    // the one before.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    let serve = axum::serve(listener, clients)
        .with_graceful_shutdown(gateway.shutdown.clone().cancelled_owned());
    let log = gateway.log.clone();
    gateway.tasks.spawn(async move {
        if let Err(error) = serve.await {
            log.line("ws", None, &format!("no longer accepts connections: {error}"));
        }
    });
    Ok(Running { gateway })
}

impl Running {
    /// The `@connections` API: `POST`, `GET` and `DELETE` of `/<stage>/@connections/<id>`, and the
    /// same without a stage. Requests that are signed (`SigV4`) are put to `authorize`; unsigned
    /// ones are allowed, for curl.
    ///
    /// And what a test does to it: `POST /_local/faults` with `{"fault", "method"?, "containing"?,
    /// "times"?}` is what the next requests suffer, see [`faults::Fault`]; `GET` lists those still
    /// waiting, `DELETE` forgets them (with `?containing=` only those).
    pub fn management(&self, authorize: Option<Authorize>) -> Router {
        management::router(Arc::clone(&self.gateway), authorize)
            .merge(faults::router(Arc::clone(&self.gateway.faults)))
    }

    /// Waits after a shutdown until every connection is closed and its `$disconnect` has run, for
    /// [`Quotas::drain`] at most.
    pub async fn drained(self) {
        self.gateway.tasks.close();
        if tokio::time::timeout(self.gateway.quotas.drain, self.gateway.tasks.wait()).await.is_err()
        {
            self.gateway.log.line("ws", None, "stopped before every connection was closed");
        }
    }
}
