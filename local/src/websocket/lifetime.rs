//! The lifetime of one connection, from its handshake to its `$disconnect`.

use std::sync::Arc;

use axum::response::Response;
use http::request::Parts;
use hyper::upgrade::OnUpgrade;
use tokio::sync::oneshot;

use super::connection::Connection;
use super::end::End;
use super::event::Event;
use super::gateway::Gateway;
use super::{connect, socket};

/// Runs one connection. `accepted` is the response that completes the handshake. It is sent to
/// `answer`, or an error response is. This must run as its own task. The task of the handshake is
/// dropped when its client goes away, but `$connect` must run to its end.
pub(super) async fn run(
    gateway: Arc<Gateway>,
    parts: Parts,
    source_ip: String,
    accepted: Response,
    upgrade: OnUpgrade,
    answer: oneshot::Sender<Response>,
) {
    let (connection, mut outgoing) = Connection::new(&parts, source_ip, &gateway.quotas);
    let response = match connect::authorize(&gateway, &connection, &parts, accepted).await {
        Ok(response) => response,
        Err(rejection) => {
            // Sending fails if the client has gone, which doesn't matter here.
            drop(answer.send(rejection));
            return;
        }
    };
    // From here on, functions can post to the connection. Frames wait in the queue until the client
    // has its 101, so that a function that learns the id from the client never finds it gone.
    gateway.open.insert(&connection);
    drop(answer.send(response));

    let ended = match upgrade.await {
        Ok(upgraded) => socket::serve(&gateway, &connection, upgraded, &mut outgoing).await,
        Err(_) => (End::DROPPED, None),
    };
    let (end, socket) = ended;
    gateway.open.remove(&connection.id);
    outgoing.close();
    tokio::join!(
        socket::close(socket, &end, gateway.quotas.close_handshake),
        disconnected(&gateway, &connection, &end)
    );
}

async fn disconnected(gateway: &Arc<Gateway>, connection: &Connection, end: &End) {
    gateway.log.line("ws", Some(&connection.id), &format!("closed: {} {:?}", end.code, end.reason));
    if let Some(function) = gateway.api.routes.get("$disconnect") {
        // A failure has been logged already and has no other consequence.
        drop(gateway.integrate(function, Event::disconnect(&gateway.api, connection, end)).await);
    }
}
