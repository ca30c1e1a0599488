//! The connections table: tickets and open sockets. It needs no backup, because clients create
//! everything in it again when they reconnect. [`super::subscription`] keeps track of which entries
//! a socket still needs.

use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::batch::delete_request;
use super::error::{is_condition_failed, sdk_error};
use super::keys;
use super::query::Query;
use super::row::{Entity, Key, from_item};
use super::table::Store;
use super::transaction::{CommitOutcome, Transaction};
use crate::config::ConfigError;
use crate::domain::feed::Feed;
use crate::domain::ids::UserId;
use crate::error::{Error, Result};

/// How long a socket's items are kept: API Gateway closes every connection after 2 hours
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
const SOCKET_RETENTION: SignedDuration = SignedDuration::from_mins(130);

/// The right to open one socket. The key contains the hash of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The hash of the token.
    pub hash: String,
    /// The user it was issued to.
    pub user_id: UserId,
    /// The session it was issued in.
    pub session_id: String,
    /// When it expires.
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
    /// API Gateway's connection id.
    pub id: String,
    /// The user who opened it.
    pub user_id: UserId,
    /// The session that its ticket was issued in.
    pub session_id: String,
    /// The feeds that its hello subscribed to. When the socket is deleted, so are these
    /// subscriptions.
    pub feeds: Vec<Feed>,
    /// When it was opened.
    pub connected_at: Timestamp,
}

impl Connection {
    /// When DynamoDB may delete its items.
    pub fn ends_at(&self) -> Timestamp {
        self.connected_at + SOCKET_RETENTION
    }

    fn open_socket(&self) -> OpenSocket {
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

/// An open socket as listed in its user's partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSocket {
    /// API Gateway's connection id.
    pub connection: String,
    /// The user who opened it.
    pub user_id: UserId,
    /// The session that its ticket was issued in.
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
        Some(self.connected_at + SOCKET_RETENTION)
    }
}

/// The connections table.
#[derive(Debug, Clone)]
pub struct Connections {
    pub(super) table: Store,
}

impl Connections {
    /// Connects to the table named by `CONNECTIONS_TABLE_NAME`, with the variables that Lambda
    /// sets.
    ///
    /// # Errors
    /// Fails if a variable is missing or invalid; the error names it.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { table: Store::with_table_from_env("CONNECTIONS_TABLE_NAME")? })
    }

    /// Uses the table with this name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        Self { table: Store::new(client, table) }
    }

    /// Opens the connection to DynamoDB, like [`Store::warm`].
    pub async fn warm(&self) {
        self.table.warm().await;
    }

    /// Stores a ticket.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn put_ticket(&self, ticket: &Ticket) -> Result<()> {
        // The token is random, so the key can't be taken.
        self.table.create(ticket).await.map(drop)
    }

    /// Deletes the ticket with this hash and returns it, so that it can't be redeemed again.
    /// Returns `None` if it doesn't exist or was redeemed before.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn redeem_ticket(&self, hash: &str) -> Result<Option<Ticket>> {
        let deleted = self
            .delete(keys::ticket(hash))
            // The condition, not the absence of an old item, decides who was first. DynamoDB Local
            // returns the old item to several deletes that run at the same time.
            .condition_expression("attribute_exists(pk)")
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match deleted {
            Ok(deleted) => deleted.attributes.map(from_item).transpose(),
            Err(e) if is_condition_failed(&e) => Ok(None),
            Err(e) => Err(sdk_error(e)),
        }
    }

    /// Stores a new socket.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles; internal when it fails otherwise
    /// or the connection id is already stored.
    pub async fn add(&self, connection: &Connection) -> Result<()> {
        let transaction = Transaction::default();
        let transaction = transaction
            .create(&self.table, connection)?
            .create(&self.table, &connection.open_socket())?;
        match transaction.commit(&self.table.client).await? {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::ConditionFailed(_) => {
                Err(Error::internal(format!("connection {} already exists", connection.id)))
            }
        }
    }

    /// Reads a socket.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn connection(&self, id: &str) -> Result<Option<Connection>> {
        self.table.get(keys::connection(id)).await
    }

    /// Returns a user's sockets, oldest first.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
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

    /// Deletes a socket and its subscriptions. Returns the socket, or `None` if it was already
    /// deleted.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn remove(&self, id: &str) -> Result<Option<Connection>> {
        let Some(connection) = self.connection(id).await? else { return Ok(None) };
        let subscriptions = connection.feeds.iter().map(|feed| keys::subscription(feed, id));
        let list_entry = keys::socket_of(&connection.user_id, id);
        self.table
            .batch_write(
                subscriptions.chain([list_entry]).map(delete_request).collect::<Result<_>>()?,
            )
            .await?;
        // The socket's own item is deleted last, so that a repeated call after a crash can delete
        // the rest.
        self.delete(keys::connection(id)).send().await.map_err(sdk_error)?;
        Ok(Some(connection))
    }

    /// Deletes a socket from its user's list.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn unlist(&self, socket: &OpenSocket) -> Result<()> {
        self.delete(socket.key()).send().await.map(drop).map_err(sdk_error)
    }

    pub(super) fn delete(&self, key: Key) -> DeleteItemFluentBuilder {
        self.table.client.delete_item().table_name(&self.table.table).set_key(Some(key.into_item()))
    }

    pub(super) fn update(&self, key: Key) -> UpdateItemFluentBuilder {
        self.table.client.update_item().table_name(&self.table.table).set_key(Some(key.into_item()))
    }
}
