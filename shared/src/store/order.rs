//! Orders: one item each, with its whole history and ledger, changed by one conditional write. Its
//! stream record is the outbox.

use futures::Stream;
use jiff::Timestamp;

use super::query::SortKeys;
use super::row::{Entity, Key, take};
use super::{
    Account, AuthState, CursorKey, Filter, Index, Listed, PageRequest, Query, Store, WriteOutcome,
    keys,
};
use crate::domain::ids::{OrderId, UserId};
use crate::domain::order::{Order, Status};
use crate::domain::text::CategoryKey;
use crate::error::Result;

impl Entity for Order {
    const ENTITY: &'static str = "order";
    const HEAVY: &'static [&'static str] = &["history"];

    fn key(&self) -> Key {
        keys::order(&self.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let mut indexes = vec![
            (Index::Gsi1, keys::index::orders(self.created_at, &self.id)),
            (Index::Gsi2, keys::index::client(&self.client.id, self.created_at, &self.id)),
        ];
        if let Some(worker) = &self.worker {
            indexes.push((Index::Gsi3, keys::index::worker(&worker.id, self.created_at, &self.id)));
        }
        if self.is_claimable() {
            // By when it was placed: an order that is given back goes to the front, not to the end.
            // An open order has no worker, so that the workers' index is free to hold the whole
            // pool.
            indexes.push((Index::Gsi3, keys::index::open(self.created_at, &self.id)));
            indexes.push((
                Index::Gsi4,
                keys::index::open_of(&self.service.category.key(), self.created_at, &self.id),
            ));
        }
        if self.has_unsettled_money() {
            // Pending or called off, and so not in the pool.
            indexes.push((Index::Gsi4, keys::index::money(self.updated_at, &self.id)));
        }
        if let Some(deadline) = self.deadline {
            indexes.push((Index::Gsi5, keys::index::timer(deadline, &self.id)));
        }
        if !self.attention().is_empty() {
            indexes.push((Index::Gsi6, keys::index::attention(self.updated_at, &self.id)));
        }
        indexes
    }

    fn version(&self) -> u64 {
        self.version
    }
}

/// Whose orders to list.
#[derive(Debug, Clone, Copy)]
pub enum OrdersOf<'a> {
    /// A client's own.
    Client(&'a UserId),
    /// Those assigned to a worker.
    Worker(&'a UserId),
    /// All.
    Everyone,
    /// All that an administrator should look at ([`Order::attention`]), last changed first.
    Attention,
}

/// A conflict with oneself is none: an earlier attempt of this very write was made and its answer
/// lost, upon which the SDK sends it again.
fn unless_ours(outcome: WriteOutcome<Order>, written: &Order) -> WriteOutcome<Order> {
    match outcome {
        WriteOutcome::Conflict(Some(current)) if current.descends_from(written) => {
            WriteOutcome::Written
        }
        other => other,
    }
}

impl Store {
    /// An order with its history.
    pub async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        self.get(keys::order(id)).await
    }

    /// How a caller stands, and an order, in one read.
    pub async fn auth_state_and_order(
        &self,
        user: &UserId,
        session: &str,
        id: &OrderId,
    ) -> Result<(AuthState, Option<Order>)> {
        self.standing_and(user, session, keys::order(id)).await
    }

    /// As [`Store::auth_state_and_order`], with the account of another user, if one is named.
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
        // A batch has each key once.
        wanted.extend(other.filter(|other| *other != user).map(keys::user));
        let mut found = self.get_items(wanted).await?;
        let standing = AuthState::take(&mut found, &account, &session)?;
        let other = match other {
            Some(other) if other == user => standing.account.clone(),
            Some(other) => take(&mut found, &keys::user(other))?,
            None => None,
        };
        Ok((standing, take(&mut found, &order)?, other))
    }

    /// Stores a new order; the conflict is one that has its id already.
    pub async fn place_order(&self, order: &Order) -> Result<WriteOutcome<Order>> {
        Ok(unless_ours(self.create(order).await?, order))
    }

    /// Stores an order's next version. It is written only over the version it was made from, so
    /// that of two movers one wins; the conflict is the order as the other one left it.
    pub async fn advance_order(&self, next: &Order, from: &Order) -> Result<WriteOutcome<Order>> {
        Ok(unless_ours(self.replace(next, from.version).await?, next))
    }

    /// Orders, newest first, in one state if one is given. What lists read has no history.
    pub async fn orders(
        &self,
        of: OrdersOf<'_>,
        status: Option<Status>,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<Order>> {
        let (index, partition) = match of {
            OrdersOf::Everyone => (Index::Gsi1, keys::index::all_orders()),
            OrdersOf::Attention => (Index::Gsi6, keys::index::orders_in_need()),
            OrdersOf::Client(id) => (Index::Gsi2, keys::index::orders_of_client(id)),
            OrdersOf::Worker(id) => (Index::Gsi3, keys::index::orders_of_worker(id)),
        };
        let filters = status
            .map(|status| Filter::Is("status", status.as_str().to_owned()))
            .into_iter()
            .collect();
        self.list(Query { filters, ..Query::newest(index, partition) }, page, cursors).await
    }

    /// Orders whose deadline has passed, longest ago first. Without history, and as the index has
    /// them: to be read again before they are moved.
    pub fn due_orders(&self, now: Timestamp) -> impl Stream<Item = Result<Order>> + Send {
        self.sweep(Index::Gsi5, (0..keys::SHARDS).map(keys::index::timers), now)
    }

    /// Orders that wait for Stripe or for their client to pay, or for which something is to be done
    /// there, since `until` or longer. Without history.
    pub fn orders_with_money_under_way(
        &self,
        until: Timestamp,
    ) -> impl Stream<Item = Result<Order>> + Send {
        self.sweep(Index::Gsi4, (0..keys::SHARDS).map(keys::index::money_in), until)
    }

    /// The pool: paid, unclaimed orders, oldest first, of one category if one is given. Its shards
    /// are read at once and merged; the cursor is the sort key of the last order shown.
    pub async fn open_orders(
        &self,
        category: Option<&CategoryKey>,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<Order>> {
        let name = format!("open/{}", category.map_or("", CategoryKey::as_str));
        let position =
            page.cursor.as_deref().map(|cursor| cursors.open(&name, cursor)).transpose()?;
        let after = position.as_ref().and_then(|p| p.get("sk")?.as_s().ok());
        let shards =
            (0..keys::SHARDS).map(|shard| {
                let query = match category {
                    None => Query::oldest(Index::Gsi3, keys::index::open_in(shard)),
                    Some(category) => {
                        Query::oldest(Index::Gsi4, keys::index::open_in_category(shard, category))
                    }
                };
                // Sort keys are of one length: nothing lies between one and the same with a
                // character more.
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
        let last = items.last().filter(|_| more).map(|o| keys::index::open(o.created_at, &o.id).sk);
        let seal = |sk| {
            cursors.seal(
                &name,
                &super::row::Item::from([("sk".to_owned(), super::transaction::s(sk))]),
            )
        };
        Ok(Listed { items, next_cursor: last.map(seal).transpose()? })
    }
}
