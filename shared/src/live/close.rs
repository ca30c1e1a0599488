//! Sockets end with what they belong to: the sign-in, the account, or the limit of sockets a user
//! has.

use futures::future::join_all;

use super::Live;
use super::push::Push;
use crate::domain::ids::UserId;
use crate::error::Result;
use crate::store::OpenSocket;

/// Sockets that a user may have open at once. The oldest is closed for the newest: it is the one
/// that most likely lives in a forgotten tab.
pub const MAX_SOCKETS: usize = 10;

impl<P: Push> Live<P> {
    /// Closes all of a user's sockets.
    pub async fn close_all(&self, user: &UserId) -> Result<()> {
        self.close_those(user, |_| true).await
    }

    /// Closes the sockets that were opened in one sign-in.
    pub async fn close_session(&self, user: &UserId, session: &str) -> Result<()> {
        self.close_those(user, |socket| socket.session_id == session).await
    }

    /// Closes all of a user's sockets but those that were opened in the sign-in that goes on.
    pub async fn close_others(&self, user: &UserId, kept: Option<&str>) -> Result<()> {
        self.close_those(user, |socket| Some(socket.session_id.as_str()) != kept).await
    }

    /// Closes the oldest of a user's sockets that are more than [`MAX_SOCKETS`].
    pub async fn close_surplus(&self, user: &UserId) -> Result<()> {
        let sockets = self.connections.sockets_of(user).await?;
        let surplus = sockets.len().saturating_sub(MAX_SOCKETS);
        self.close_each(&sockets[..surplus]).await
    }

    async fn close_those(&self, user: &UserId, which: impl Fn(&OpenSocket) -> bool) -> Result<()> {
        let mut sockets = self.connections.sockets_of(user).await?;
        sockets.retain(which);
        self.close_each(&sockets).await
    }

    async fn close_each(&self, sockets: &[OpenSocket]) -> Result<()> {
        // All at once: whoever waits for this waits for the slowest.
        let closed = sockets.iter().map(async |socket| {
            tracing::info!(user = %socket.user_id, connection = socket.connection, "closing socket {}", socket.connection);
            self.end(&socket.connection).await?;
            // Its own row may have expired before this one.
            self.connections.unlist(socket).await
        });
        // Each to its end, whatever becomes of the others.
        join_all(closed).await.into_iter().collect()
    }
}
