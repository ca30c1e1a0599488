//! Feeds: who is notified of what. Pure: numbering, keeping and pushing are the `live` room's.

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

/// A numbered sequence of entries that some users may read: `user:<id>`, `role:workers`,
/// `workers:<category>`, `workers:*`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend(
    "pattern" = r"^(user:usr_[0-9a-v]{26}|role:(clients|workers|admins)|workers:[^\x00-\x1f\x7f-\x9f\u2028\u2029]+)$",
    "examples" = ["role:workers", "workers:design"],
))]
pub enum Feed {
    /// One user's own.
    User(UserId),
    /// Everyone's of a role.
    Role(Role),
    /// The workers' who serve a category. Made by [`Feed::category`], which knows the one category
    /// that looks like [`Feed::AnyCategory`].
    Category(CategoryKey),
    /// The workers' who name no category and so serve all.
    AnyCategory,
}

impl Feed {
    /// The feed of a category's workers.
    pub fn category(category: CategoryKey) -> Self {
        if category.as_str() == "*" { Self::AnyCategory } else { Self::Category(category) }
    }

    /// What this user reads; nothing when not active.
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

    /// Whether this user may read it.
    pub fn may_be_read_by(&self, user: &User) -> bool {
        Self::of(user).contains(self)
    }

    /// Accepts what [`Feed`] displays. Code: `unknown_feed`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let unknown = || Invalid::new("unknown_feed", "Not the name of a feed.");
        let (kind, name) = text.split_once(':').ok_or_else(unknown)?;
        match (kind, name) {
            ("user", id) => UserId::parse(id).map(Self::User).map_err(|_| unknown()),
            ("role", "clients") => Ok(Self::Role(Role::Client)),
            ("role", "workers") => Ok(Self::Role(Role::Worker)),
            ("role", "admins") => Ok(Self::Role(Role::Admin)),
            ("workers", "*") => Ok(Self::AnyCategory),
            ("workers", category) => {
                // Only the folded form is a name: one feed has one.
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
    /// What an entry reports: its `type` on the wire.
    EntryKind {
        /// An order is in the pool, or is there again.
        OrderOpened = "order.opened",
        /// A worker has it.
        OrderAssigned = "order.assigned",
        /// Its worker has it no more.
        OrderReleased = "order.released",
        /// It was delivered.
        OrderDelivered = "order.delivered",
        /// Its client wants the delivery changed.
        OrderRevisionRequested = "order.revision_requested",
        /// It was accepted.
        OrderCompleted = "order.completed",
        /// It was called off, or ran out of time.
        OrderCanceled = "order.canceled",
        /// An admin is to decide.
        OrderDisputed = "order.disputed",
        /// An admin has decided.
        OrderResolved = "order.resolved",
        /// Stripe waits for the bank.
        PaymentProcessing = "payment.processing",
        /// The money is here.
        PaymentPaid = "payment.paid",
        /// An attempt was declined.
        PaymentFailed = "payment.failed",
        /// The money went back.
        PaymentRefunded = "payment.refunded",
        /// A refund failed, or Stripe would not make it; for admins.
        PaymentRefundFailed = "payment.refund_failed",
        /// The client's bank disputes the charge; for admins.
        PaymentDisputed = "payment.disputed",
        /// The bank's dispute is decided; for admins.
        PaymentDisputeClosed = "payment.dispute_closed",
        /// A message on an order.
        MessageReceived = "message.received",
        /// A word to everyone of a role.
        Broadcast = "broadcast",
    }
}

string_enum! {
    /// As whom an entry is read: says how much of the order it shows, and which `actions`.
    Reader {
        /// Its client.
        Client = "client",
        /// Its worker.
        Worker = "worker",
        /// Who was its worker until this event: sees that, but not who has it now.
        FormerWorker = "former_worker",
        /// Workers who could claim it.
        Pool = "pool",
        /// Admins.
        Admin = "admin",
    }
}

impl Reader {
    /// As what the reader stands to the order, for [`Order::actions_as`]; `None`: may do nothing
    /// with it.
    pub const fn actor_kind(self) -> Option<ActorKind> {
        match self {
            Self::Client => Some(ActorKind::Client),
            Self::Worker | Self::Pool => Some(ActorKind::Worker),
            Self::Admin => Some(ActorKind::Admin),
            Self::FormerWorker => None,
        }
    }

    /// Whether the order's worker is shown.
    pub const fn sees_worker(self) -> bool {
        !matches!(self, Self::FormerWorker)
    }
}

/// One entry to be appended to one feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Notification {
    /// Where.
    pub feed: Feed,
    /// What.
    pub kind: EntryKind,
    /// For whom.
    pub reader: Reader,
}

/// Who is notified of an event of this order, and as whom. The entry's `data` is the order as of the
/// event ([`Order::at`]), as [`Notification::reader`] may see it. One event gives a feed at most one
/// entry of a kind.
pub fn notifications(order: &Order, event: &Event) -> Vec<Notification> {
    use EntryKind as K;
    let before = event.n.checked_sub(1).and_then(|n| order.at(n));
    let mut notified = Notifications { order, event, notifications: Vec::new() };
    match event.kind {
        EventKind::Transition(transition) => match transition {
            Transition::Place => {}
            Transition::Pay => {
                notified.client(K::PaymentPaid);
                notified.pool();
            }
            Transition::Accept => notified.parties(K::OrderAssigned),
            Transition::Release | Transition::Reassign => {
                let former = before.as_ref().and_then(|before| before.worker.as_ref());
                notified.former_worker(former, K::OrderReleased);
                if event.status == Status::Open {
                    notified.client(K::OrderReleased);
                    notified.pool();
                } else {
                    notified.parties(K::OrderAssigned);
                }
            }
            Transition::Deliver => notified.parties(K::OrderDelivered),
            Transition::RequestRevision => notified.parties(K::OrderRevisionRequested),
            Transition::Complete => notified.parties(K::OrderCompleted),
            Transition::Cancel | Transition::Expire => notified.parties(K::OrderCanceled),
            Transition::Dispute => {
                notified.parties(K::OrderDisputed);
                notified.admins(K::OrderDisputed);
            }
            Transition::ResolveRelease | Transition::ResolveRefund => {
                notified.parties(K::OrderResolved);
                notified.admins(K::OrderResolved);
            }
        },
        EventKind::Payment(step) => match step {
            PaymentEvent::PaymentProcessing => notified.client(K::PaymentProcessing),
            PaymentEvent::PaymentFailed => notified.client(K::PaymentFailed),
            PaymentEvent::PaidLate => notified.client(K::PaymentPaid),
            PaymentEvent::RefundFailed | PaymentEvent::RefundRefused => {
                notified.admins(K::PaymentRefundFailed)
            }
            PaymentEvent::ChargebackOpened => notified.admins(K::PaymentDisputed),
            PaymentEvent::ChargebackClosed => notified.admins(K::PaymentDisputeClosed),
            PaymentEvent::PaymentStarted
            | PaymentEvent::PaymentRequiresAction
            | PaymentEvent::PaymentCanceled
            | PaymentEvent::FeeKnown
            | PaymentEvent::RefundStarted
            | PaymentEvent::RefundSucceeded => {}
        },
    }
    // Money is back by a refund, by a bank's decision, or because the order it was taken from is
    // called off: one rule for all.
    let was_back = before.is_some_and(|before| before.payment_status == PaymentStatus::Refunded);
    if event.payment_status == PaymentStatus::Refunded && !was_back {
        notified.client(K::PaymentRefunded);
    }
    notified.notifications
}

struct Notifications<'a> {
    order: &'a Order,
    event: &'a Event,
    notifications: Vec<Notification>,
}

impl Notifications<'_> {
    fn notify(&mut self, feed: Feed, kind: EntryKind, reader: Reader) {
        let notification = Notification { feed, kind, reader };
        if !self.notifications.contains(&notification) {
            self.notifications.push(notification);
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
