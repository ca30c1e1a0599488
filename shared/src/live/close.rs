//! Closes a user's sockets when the session or the account ends, or when the user has too many.

use futures::future::join_all;

use super::LiveService;
use super::push::Push;
use crate::domain::ids::UserId;
use crate::error::Result;
use crate::store::OpenSocket;

/// The most sockets that a user may have open at once. Opening one more closes the oldest, which
/// most likely belongs to a forgotten tab.
pub const MAX_SOCKETS: usize = 10;

impl<P: Push> LiveService<P> {
    /// Closes all of a user's sockets.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn close_all(&self, user: &UserId) -> Result<()> {
        self.close_matching(user, |_| true).await
    }

    /// Closes the sockets of one session.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn close_session(&self, user: &UserId, session: &str) -> Result<()> {
        self.close_matching(user, |socket| socket.session_id == session).await
    }

    /// Closes all of a user's sockets except those of `session_to_keep`.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn close_all_except(
        &self,
        user: &UserId,
        session_to_keep: Option<&str>,
    ) -> Result<()> {
        self.close_matching(user, |socket| Some(socket.session_id.as_str()) != session_to_keep)
            .await
    }

    /// Closes a user's oldest sockets if there are more than [`MAX_SOCKETS`].
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn close_excess_sockets(&self, user: &UserId) -> Result<()> {
        let sockets = self.connections.sockets_of(user).await?;
        let excess = sockets.len().saturating_sub(MAX_SOCKETS);
        self.close_each(&sockets[..excess]).await
    }

    async fn close_matching(
        &self,
        user: &UserId,
        matches: impl Fn(&OpenSocket) -> bool,
    ) -> Result<()> {
        let mut sockets = self.connections.sockets_of(user).await?;
        sockets.retain(matches);
        self.close_each(&sockets).await
    }

    async fn close_each(&self, sockets: &[OpenSocket]) -> Result<()> {
        // All sockets are closed at once, so this takes only as long as the slowest one.
        let closed = sockets.iter().map(async |socket| {
            let OpenSocket { connection, user_id, .. } = socket;
            tracing::info!(user = %user_id, connection, "closing socket {connection}");
            self.close_socket(&socket.connection).await?;
            // If TTL has already deleted the socket's own item, `close_socket` did not find the
            // list entry.
            self.connections.unlist(socket).await
        });
        // `join_all` lets each one finish even if another fails.
        join_all(closed).await.into_iter().collect()
    }
}
