//! Feeds: which users are notified of which events. The functions here are pure; the `live` module
//! numbers, stores and pushes the entries.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Invalid;
use super::ids::UserId;
use super::order::{
    ActorKind, Event, EventKind, Order, PaymentEvent, PaymentStatus, Status, Transition,
};
use super::text::CategoryKey;
use super::user::{Person, Role, User};
use crate::domain::string_enum::string_enum;

/// A feed: a numbered sequence of entries that certain users can read. The names are `user:<id>`,
/// `role:clients`, `role:workers`, `role:admins`, `workers:<category>` and `workers:*`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend(
    "pattern" = r"^(user:usr_[0-9a-v]{26}|role:(clients|workers|admins)|workers:[^\x00-\x1f\x7f-\x9f\u2028\u2029]+)$",
    "examples" = ["role:workers", "workers:design"],
))]
pub enum Feed {
    /// The feed of one user.
    User(UserId),
    /// The feed of all users with a role.
    Role(Role),
    /// The feed of the workers who serve a category. Create it with [`Feed::category`], because the
    /// category `*` has the same name as [`Feed::AnyCategory`].
    Category(CategoryKey),
    /// The feed of the workers without categories, who serve all categories.
    AnyCategory,
}

impl Feed {
    /// Returns the feed of the workers who serve a category.
    pub fn category(category: CategoryKey) -> Self {
        if category.as_str() == "*" { Self::AnyCategory } else { Self::Category(category) }
    }

    /// Returns the feeds that this user can read: an empty list if the user is not active.
    pub fn of(user: &User) -> Vec<Self> {
        if !user.is_active() {
            return Vec::new();
        }
        let mut feeds = vec![Self::User(user.id.clone()), Self::Role(user.role)];
        if user.role == Role::Worker {
            if user.categories.is_empty() {
                feeds.push(Self::AnyCategory);
            }
            feeds.extend(user.categories.iter().map(|category| Self::category(category.key())));
        }
        feeds
    }

    /// Returns whether this user can read the feed.
    pub fn may_be_read_by(&self, user: &User) -> bool {
        Self::of(user).contains(self)
    }

    /// Parses the name of a feed, as [`Feed`] displays it.
    ///
    /// # Errors
    ///
    /// Code `unknown_feed` for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let unknown = || {
            Invalid::new(
                "unknown_feed",
                "Must be the name of a feed, such as role:workers or workers:design.",
            )
        };
        let (kind, name) = text.split_once(':').ok_or_else(unknown)?;
        match (kind, name) {
            ("user", id) => UserId::parse(id).map(Self::User).map_err(|_| unknown()),
            ("role", "clients") => Ok(Self::Role(Role::Client)),
            ("role", "workers") => Ok(Self::Role(Role::Worker)),
            ("role", "admins") => Ok(Self::Role(Role::Admin)),
            ("workers", "*") => Ok(Self::AnyCategory),
            ("workers", category) => {
                // Each feed has one name, so the category must be in its comparison form.
                let key = CategoryKey::parse(category).map_err(|_| unknown())?;
                if key.as_str() == category { Ok(Self::Category(key)) } else { Err(unknown()) }
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Role(role) => write!(f, "role:{}s", role.as_str()),
            Self::Category(category) => write!(f, "workers:{category}"),
            Self::AnyCategory => f.write_str("workers:*"),
        }
    }
}

impl FromStr for Feed {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Feed {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Feed> for String {
    fn from(feed: Feed) -> Self {
        feed.to_string()
    }
}

string_enum! {
    /// What a feed entry reports.
    EntryKind {
        /// An order entered the pool, or returned to it.
        OrderOpened = "order.opened",
        /// A worker was assigned to the order.
        OrderAssigned = "order.assigned",
        /// The worker no longer has the order.
        OrderReleased = "order.released",
        /// The order was delivered.
        OrderDelivered = "order.delivered",
        /// The client requested changes to the delivery.
        OrderRevisionRequested = "order.revision_requested",
        /// The delivery was accepted.
        OrderCompleted = "order.completed",
        /// The order was canceled or ran out of time.
        OrderCanceled = "order.canceled",
        /// The order was disputed. An administrator decides.
        OrderDisputed = "order.disputed",
        /// An administrator decided the dispute.
        OrderResolved = "order.resolved",
        /// Stripe is waiting for the bank.
        PaymentProcessing = "payment.processing",
        /// The payment succeeded.
        PaymentPaid = "payment.paid",
        /// A payment attempt was declined.
        PaymentFailed = "payment.failed",
        /// The client was refunded.
        PaymentRefunded = "payment.refunded",
        /// A refund failed or Stripe refused it. For administrators.
        PaymentRefundFailed = "payment.refund_failed",
        /// The client's bank disputed the charge. For administrators.
        PaymentDisputed = "payment.disputed",
        /// The bank's dispute was decided. For administrators.
        PaymentDisputeClosed = "payment.dispute_closed",
        /// A message on an order arrived.
        MessageReceived = "message.received",
        /// An administrator's message to all users with a role.
        Broadcast = "broadcast",
    }
}

string_enum! {
    /// The relation of an entry's readers to the order. It decides how much of the order the entry
    /// shows, and which `actions` it lists.
    Reader {
        /// The order's client.
        Client = "client",
        /// The order's worker.
        Worker = "worker",
        /// The worker whom this event took off the order. The entry does not show who has the order
        /// now.
        FormerWorker = "former_worker",
        /// Workers who could claim the order.
        Pool = "pool",
        /// Administrators.
        Admin = "admin",
    }
}

impl Reader {
    /// Returns the kind of actor that the reader is, for [`Order::actions_as`]. `None` for a reader
    /// who can do nothing with the order.
    pub const fn actor_kind(self) -> Option<ActorKind> {
        match self {
            Self::Client => Some(ActorKind::Client),
            Self::Worker | Self::Pool => Some(ActorKind::Worker),
            Self::Admin => Some(ActorKind::Admin),
            Self::FormerWorker => None,
        }
    }

    /// Returns whether the entry shows the order's worker.
    pub const fn sees_worker(self) -> bool {
        !matches!(self, Self::FormerWorker)
    }
}

/// A feed entry that an event of an order causes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Notification {
    /// The feed to append it to.
    pub feed: Feed,
    /// What the entry reports.
    pub kind: EntryKind,
    /// Who reads it.
    pub reader: Reader,
}

/// Returns the feed entries that an event of this order causes. An entry's `data` is the order as
/// of the event ([`Order::at`]), as [`Notification::reader`] may see it. One event adds at most one
/// entry of a kind to a feed.
pub fn notifications(order: &Order, event: &Event) -> Vec<Notification> {
    use EntryKind as K;
    let before = event.n.checked_sub(1).and_then(|n| order.at(n));
    let mut notifications = Notifications { order, event, list: Vec::new() };
    match event.kind {
        EventKind::Transition(transition) => match transition {
            Transition::Place => {}
            Transition::Pay => {
                notifications.client(K::PaymentPaid);
                notifications.pool();
            }
            Transition::Accept => notifications.parties(K::OrderAssigned),
            Transition::Release | Transition::Reassign => {
                let former = before.as_ref().and_then(|before| before.worker.as_ref());
                notifications.former_worker(former, K::OrderReleased);
                if event.status == Status::Open {
                    notifications.client(K::OrderReleased);
                    notifications.pool();
                } else {
                    notifications.parties(K::OrderAssigned);
                }
            }
            Transition::Deliver => notifications.parties(K::OrderDelivered),
            Transition::RequestRevision => notifications.parties(K::OrderRevisionRequested),
            Transition::Complete => notifications.parties(K::OrderCompleted),
            Transition::Cancel | Transition::Expire => notifications.parties(K::OrderCanceled),
            Transition::Dispute => {
                notifications.parties(K::OrderDisputed);
                notifications.admins(K::OrderDisputed);
            }
            Transition::ResolveRelease | Transition::ResolveRefund => {
                notifications.parties(K::OrderResolved);
                notifications.admins(K::OrderResolved);
            }
        },
        EventKind::Payment(payment_event) => match payment_event {
            PaymentEvent::PaymentProcessing => notifications.client(K::PaymentProcessing),
            PaymentEvent::PaymentFailed => notifications.client(K::PaymentFailed),
            PaymentEvent::PaidLate => notifications.client(K::PaymentPaid),
            PaymentEvent::RefundFailed | PaymentEvent::RefundRefused => {
                notifications.admins(K::PaymentRefundFailed)
            }
            PaymentEvent::ChargebackOpened => notifications.admins(K::PaymentDisputed),
            PaymentEvent::ChargebackClosed => notifications.admins(K::PaymentDisputeClosed),
            PaymentEvent::PaymentStarted
            | PaymentEvent::PaymentRequiresAction
            | PaymentEvent::PaymentCanceled
            | PaymentEvent::FeeKnown
            | PaymentEvent::RefundStarted
            | PaymentEvent::RefundSucceeded => {}
        },
    }
    // The client gets the money back through a refund, through the bank's decision, or because the
    // charged order was canceled. One rule covers all three.
    let was_refunded =
        before.is_some_and(|before| before.payment_status == PaymentStatus::Refunded);
    if event.payment_status == PaymentStatus::Refunded && !was_refunded {
        notifications.client(K::PaymentRefunded);
    }
    notifications.list
}

/// Collects the entries of one event.
struct Notifications<'a> {
    order: &'a Order,
    event: &'a Event,
    list: Vec<Notification>,
}

impl Notifications<'_> {
    fn notify(&mut self, feed: Feed, kind: EntryKind, reader: Reader) {
        let notification = Notification { feed, kind, reader };
        if !self.list.contains(&notification) {
            self.list.push(notification);
        }
    }

    fn client(&mut self, kind: EntryKind) {
        self.notify(Feed::User(self.order.client.id.clone()), kind, Reader::Client);
    }

    fn parties(&mut self, kind: EntryKind) {
        self.client(kind);
        if let Some(worker) = &self.event.worker {
            self.notify(Feed::User(worker.id.clone()), kind, Reader::Worker);
        }
    }

    fn former_worker(&mut self, former: Option<&Person>, kind: EntryKind) {
        if let Some(former) = former {
            self.notify(Feed::User(former.id.clone()), kind, Reader::FormerWorker);
        }
    }

    fn pool(&mut self) {
        self.notify(
            Feed::category(self.order.service.category.key()),
            EntryKind::OrderOpened,
            Reader::Pool,
        );
        self.notify(Feed::AnyCategory, EntryKind::OrderOpened, Reader::Pool);
    }

    fn admins(&mut self, kind: EntryKind) {
        self.notify(Feed::Role(Role::Admin), kind, Reader::Admin);
    }
}

#[cfg(test)]
mod tests;
