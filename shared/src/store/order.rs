//! Orders. An order is one item with its whole history and ledger, and every change is one
//! conditional write. The table's stream reports each write to the functions that push entries and
//! move money, so no separate outbox is needed.

use futures::Stream;
use jiff::Timestamp;

use super::account::Account;
use super::auth_state::AuthState;
use super::cursor::{CursorKeys, Page, PageRequest};
use super::index::Index;
use super::keys;
use super::query::{Filter, Query, SortKeys};
use super::row::{Entity, Item, Key, string, take_item};
use super::table::{Store, WriteOutcome};
use crate::domain::ids::{OrderId, UserId};
use crate::domain::order::{Order, Status};
use crate::domain::text::CategoryKey;
use crate::error::Result;
use crate::metrics;
use crate::secrets::CachedSecret;

impl Entity for Order {
    const ENTITY: &'static str = "order";
    const UNPROJECTED_FIELDS: &'static [&'static str] = &["history"];

    fn key(&self) -> Key {
        keys::order(&self.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let mut indexes = vec![
            (Index::Gsi1, keys::index::order(self.created_at, &self.id)),
            (Index::Gsi2, keys::index::order_of_client(&self.client.id, self.created_at, &self.id)),
        ];
        if let Some(worker) = &self.worker {
            indexes.push((
                Index::Gsi3,
                keys::index::order_of_worker(&worker.id, self.created_at, &self.id),
            ));
        }
        if self.is_claimable() {
            // Open orders are sorted by the time they were placed, so an order that a worker gives
            // back goes to the front. An open order has no worker, so the workers' index is free to
            // list all open orders.
            indexes.push((Index::Gsi3, keys::index::open_order(self.created_at, &self.id)));
            indexes.push((
                Index::Gsi4,
                keys::index::open_order_in_category(
                    &self.service.category.key(),
                    self.created_at,
                    &self.id,
                ),
            ));
        }
        if self.has_unsettled_money() {
            // The order is pending or canceled, so it is not among the open orders above.
            indexes.push((
                Index::Gsi4,
                keys::index::order_with_unsettled_money(self.updated_at, &self.id),
            ));
        }
        if let Some(deadline) = self.deadline {
            indexes.push((Index::Gsi5, keys::index::timer(deadline, &self.id)));
        }
        if !self.attention().is_empty() {
            indexes
                .push((Index::Gsi6, keys::index::order_for_attention(self.updated_at, &self.id)));
        }
        indexes
    }

    fn version(&self) -> u64 {
        self.version
    }
}

/// Which orders to list.
#[derive(Debug, Clone, Copy)]
pub enum OrderScope<'a> {
    /// The orders of this client.
    Client(&'a UserId),
    /// The orders assigned to this worker.
    Worker(&'a UserId),
    /// All orders.
    Everyone,
    /// The orders that an administrator should look at ([`Order::attention`]), last changed first.
    Attention,
}

/// Treats a conflict with our own retried write as success. If the response to a successful write
/// is lost, the SDK sends the write again, and it conflicts with itself.
fn accept_own_retry(outcome: WriteOutcome<Order>, written: &Order) -> WriteOutcome<Order> {
    match outcome {
        WriteOutcome::Conflict(Some(current)) if current.descends_from(written) => {
            WriteOutcome::Written
        }
        other => other,
    }
}

impl Store {
    /// Reads an order with its history.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        self.get(keys::order(id)).await
    }

    /// Reads a caller's authentication state and an order in one round trip.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn auth_state_and_order(
        &self,
        user: &UserId,
        session: &str,
        id: &OrderId,
    ) -> Result<(AuthState, Option<Order>)> {
        self.auth_state_and(user, session, keys::order(id)).await
    }

    /// Like [`Store::auth_state_and_order`], and also reads another user's account if `other` is
    /// set.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn auth_state_order_and_user(
        &self,
        user: &UserId,
        session: &str,
        id: &OrderId,
        other: Option<&UserId>,
    ) -> Result<(AuthState, Option<Order>, Option<Account>)> {
        let (account, session, order) =
            (keys::user(user), keys::session(user, session), keys::order(id));
        let mut wanted = vec![account.clone(), session.clone(), order.clone()];
        // A batch read may name each key only once.
        wanted.extend(other.filter(|other| *other != user).map(keys::user));
        let mut found = self.get_items(wanted).await?;
        let auth_state = AuthState::take_from(&mut found, &account, &session)?;
        let other = match other {
            Some(other) if other == user => auth_state.account.clone(),
            Some(other) => take_item(&mut found, &keys::user(other))?,
            None => None,
        };
        Ok((auth_state, take_item(&mut found, &order)?, other))
    }

    /// Stores a new order. If the id is taken, returns a conflict with the order that has it.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn place_order(&self, order: &Order) -> Result<WriteOutcome<Order>> {
        let outcome = accept_own_retry(self.create(order).await?, order);
        if matches!(outcome, WriteOutcome::Written) {
            metrics::order::count_change(None, order);
        }
        Ok(outcome)
    }

    /// Stores the next version of an order, on condition that the stored order still has the
    /// version of `from`. If two transitions race, one wins, and the other gets a conflict with the
    /// order as the winner stored it.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn advance_order(&self, next: &Order, from: &Order) -> Result<WriteOutcome<Order>> {
        let outcome = accept_own_retry(self.replace(next, from.version).await?, next);
        if matches!(outcome, WriteOutcome::Written) {
            metrics::order::count_change(Some(from), next);
        }
        Ok(outcome)
    }

    /// Returns a page of orders, newest first and without their history, optionally only those with
    /// one status.
    ///
    /// # Errors
    /// `invalid_cursor` if the cursor is not from this list; `database_unavailable` when DynamoDB
    /// is down or throttles, internal when it fails otherwise.
    pub async fn orders(
        &self,
        scope: OrderScope<'_>,
        status: Option<Status>,
        page: &PageRequest,
        cursors: &CachedSecret<CursorKeys>,
    ) -> Result<Page<Order>> {
        let (index, partition) = match scope {
            OrderScope::Everyone => (Index::Gsi1, keys::index::all_orders()),
            OrderScope::Attention => (Index::Gsi6, keys::index::orders_for_attention()),
            OrderScope::Client(id) => (Index::Gsi2, keys::index::orders_of_client(id)),
            OrderScope::Worker(id) => (Index::Gsi3, keys::index::orders_of_worker(id)),
        };
        let filters = status
            .map(|status| Filter::Is("status", status.as_str().to_owned()))
            .into_iter()
            .collect();
        self.list(Query { filters, ..Query::newest(index, partition) }, page, cursors).await
    }

    /// Streams the orders whose deadline has passed, the longest overdue first within each shard.
    /// The index does not contain their history, so they must be read again before a transition.
    pub fn due_orders(&self, now: Timestamp) -> impl Stream<Item = Result<Order>> + Send {
        self.due_items(Index::Gsi5, (0..keys::SHARDS).map(keys::index::timers), now)
    }

    /// Streams the orders with unsettled money that last changed at `until` or earlier, without
    /// their history. They wait for a payment, for Stripe, or for a refund or cancellation at
    /// Stripe.
    pub fn orders_with_unsettled_money(
        &self,
        until: Timestamp,
    ) -> impl Stream<Item = Result<Order>> + Send {
        self.due_items(
            Index::Gsi4,
            (0..keys::SHARDS).map(keys::index::orders_with_unsettled_money),
            until,
        )
    }

    /// Returns a page of open orders (paid and unassigned), oldest first, optionally of one
    /// category. All shards are read at once and merged. The cursor is the sort key of the last
    /// order shown.
    ///
    /// # Errors
    /// `invalid_cursor` if the cursor is not from this list; `database_unavailable` when DynamoDB
    /// is down or throttles, internal when it fails otherwise.
    pub async fn open_orders(
        &self,
        category: Option<&CategoryKey>,
        page: &PageRequest,
        cursors: &CachedSecret<CursorKeys>,
    ) -> Result<Page<Order>> {
        let list_id = format!("open/{}", category.map_or("", CategoryKey::as_str));
        let position = cursors.open(&list_id, page.cursor.as_deref()).await?;
        let after = position.as_ref().and_then(|p| p.get("sk")?.as_s().ok());
        let shards =
            (0..keys::SHARDS).map(|shard| {
                let query = match category {
                    None => Query::oldest(Index::Gsi3, keys::index::open_orders(shard)),
                    Some(category) => Query::oldest(
                        Index::Gsi4,
                        keys::index::open_orders_in_category(shard, category),
                    ),
                };
                // All sort keys have the same length, so a range from `sk` + "0" starts right after
                // `sk`.
                let range =
                    after.map(|sk| SortKeys::Between(format!("{sk}0"), keys::LAST.to_owned()));
                async move {
                    self.query::<Order>(&Query { range, limit: page.limit + 1, ..query }).await
                }
            });
        let pages = futures::future::try_join_all(shards).await?;
        let mut items: Vec<Order> = pages.into_iter().flat_map(|page| page.items).collect();
        items.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let more = items.len() > page.limit;
        items.truncate(page.limit);
        let last =
            items.last().filter(|_| more).map(|o| keys::index::open_order(o.created_at, &o.id).sk);
        let seal = |sk| cursors.seal(&list_id, &Item::from([("sk".to_owned(), string(sk))]));
        Ok(Page { items, next_cursor: last.map(seal).transpose()? })
    }
}
