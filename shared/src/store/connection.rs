//! The connections table: tickets and open sockets. It holds nothing that is not made anew when a
//! client reconnects. What a socket gets of a feed is in [`super::subscription`].

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, ReturnValue, WriteRequest};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::failed;
use super::row::{Entity, Item, Key, from_item, to_item};
use super::transaction::{Committed, Transaction};
use super::{Query, Store, client, keys};
use crate::config::{ConfigError, required};
use crate::domain::feed::Feed;
use crate::domain::ids::UserId;
use crate::error::{Error, Result};

/// How long a socket's rows are kept: API Gateway closes every connection after 2 hours
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
const KEPT: SignedDuration = SignedDuration::from_mins(130);

/// The right to open one socket. Stored under its token's hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Hash of its token.
    pub hash: String,
    /// Whose.
    pub user_id: UserId,
    /// The sign-in that it was asked for in.
    pub session_id: String,
    /// Until when.
    pub valid_until: Timestamp,
}

impl Entity for Ticket {
    const ENTITY: &'static str = "ticket";

    fn key(&self) -> Key {
        keys::ticket(&self.hash)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.valid_until)
    }
}

/// An open socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// API Gateway's id of it.
    pub id: String,
    /// Whose.
    pub user_id: UserId,
    /// The sign-in that its ticket was asked for in.
    pub session_id: String,
    /// What it said hello to: which subscriptions there are to delete.
    pub feeds: Vec<Feed>,
    /// When it was opened.
    pub connected_at: Timestamp,
}

impl Connection {
    /// When its rows may be deleted.
    pub fn ends_at(&self) -> Timestamp {
        self.connected_at + KEPT
    }

    fn listed(&self) -> OpenSocket {
        OpenSocket {
            connection: self.id.clone(),
            user_id: self.user_id.clone(),
            session_id: self.session_id.clone(),
            connected_at: self.connected_at,
        }
    }
}

impl Entity for Connection {
    const ENTITY: &'static str = "connection";

    fn key(&self) -> Key {
        keys::connection(&self.id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.ends_at())
    }
}

/// An open socket, as its user's partition lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSocket {
    /// Which.
    pub connection: String,
    /// Whose.
    pub user_id: UserId,
    /// The sign-in that its ticket was asked for in.
    pub session_id: String,
    /// When it was opened.
    pub connected_at: Timestamp,
}

impl Entity for OpenSocket {
    const ENTITY: &'static str = "socket";

    fn key(&self) -> Key {
        keys::socket_of(&self.user_id, &self.connection)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.connected_at + KEPT)
    }
}

/// The table of sockets.
#[derive(Debug, Clone)]
pub struct Connections {
    pub(super) table: Store,
}

impl Connections {
    /// From `CONNECTIONS_TABLE_NAME` and what Lambda sets.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { table: Store { client: client()?, table: required("CONNECTIONS_TABLE_NAME")? } })
    }

    /// In a database of a test's own.
    pub fn new(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        Self { table: Store::new(client, table) }
    }

    /// Opens the connection to DynamoDB, as [`Store::warm`].
    pub async fn warm(&self) {
        self.table.warm().await;
    }

    /// Stores a ticket.
    pub async fn issue(&self, ticket: &Ticket) -> Result<()> {
        // Its token is random: nothing is there.
        self.table.create(ticket).await.map(drop)
    }

    /// The ticket with this hash, which no one can take again; `None` when there is none (any
    /// more).
    pub async fn take_ticket(&self, hash: &str) -> Result<Option<Ticket>> {
        let taken = self
            .delete(keys::ticket(hash))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(failed)?;
        taken.attributes.map(from_item).transpose()
    }

    /// Stores a new socket.
    pub async fn open(&self, connection: &Connection) -> Result<()> {
        let transaction = Transaction::default();
        let transaction = transaction
            .create(&self.table, connection)?
            .create(&self.table, &connection.listed())?;
        match transaction.commit(&self.table.client).await? {
            Committed::Yes => Ok(()),
            Committed::No(_) => {
                Err(Error::internal(format!("connection {} is there already", connection.id)))
            }
        }
    }

    /// A socket.
    pub async fn connection(&self, id: &str) -> Result<Option<Connection>> {
        self.table.get(keys::connection(id)).await
    }

    /// A user's sockets, the oldest first.
    pub async fn sockets_of(&self, user: &UserId) -> Result<Vec<OpenSocket>> {
        let partition = keys::sockets_of(user);
        let mut query = Query::table(partition);
        let mut sockets: Vec<OpenSocket> = Vec::new();
        loop {
            let page = self.table.query(&query).await?;
            sockets.extend(page.items);
            query.start = page.next;
            if query.start.is_none() {
                break;
            }
        }
        sockets
            .sort_by(|a, b| (a.connected_at, &a.connection).cmp(&(b.connected_at, &b.connection)));
        Ok(sockets)
    }

    /// Deletes a socket and everything it gets; the socket as it was, `None` when it was deleted
    /// before.
    pub async fn forget(&self, id: &str) -> Result<Option<Connection>> {
        let Some(connection) = self.connection(id).await? else { return Ok(None) };
        let subscriptions = connection.feeds.iter().map(|feed| keys::subscription(feed, id));
        let listed = keys::socket_of(&connection.user_id, id);
        self.table
            .write_all(subscriptions.chain([listed]).map(delete).collect::<Result<_>>()?)
            .await?;
        // Last: whoever dies before this finds the rest again.
        self.delete(keys::connection(id)).send().await.map_err(failed)?;
        Ok(Some(connection))
    }

    /// Deletes a socket from its user's list.
    pub async fn unlist(&self, socket: &OpenSocket) -> Result<()> {
        self.delete(socket.key()).send().await.map(drop).map_err(failed)
    }

    pub(super) fn delete(
        &self,
        key: Key,
    ) -> aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder {
        self.table.client.delete_item().table_name(&self.table.table).set_key(Some(key.into_item()))
    }

    pub(super) fn update(
        &self,
        key: Key,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.table.client.update_item().table_name(&self.table.table).set_key(Some(key.into_item()))
    }
}

pub(super) fn put<T: Entity>(entity: &T) -> Result<WriteRequest> {
    let item: Item = to_item(entity)?;
    let put = PutRequest::builder().set_item(Some(item)).build().map_err(Error::internal)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn delete(key: Key) -> Result<WriteRequest> {
    let delete =
        DeleteRequest::builder().set_key(Some(key.into_item())).build().map_err(Error::internal)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
