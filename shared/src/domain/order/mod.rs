//! Orders: one aggregate with the status of its work, the status of its payment, a numbered history
//! and a ledger.
//!
//! - [`state`] names the statuses, transitions and actors; [`table`] lists the transitions as data,
//!   and [`diagram`] shows them to people
//! - [`aggregate`] is the order itself, and [`visibility`] says who may see it
//! - [`transition`] is how people and timers move an order ([`Order::place`],
//!   [`Order::transition`])
//! - [`payment`] names what Stripe reports, [`apply_payment`] applies it
//!   ([`Order::apply_payment_fact`]), and [`settlement`] derives what Stripe still has to do
//!   ([`Order::stripe_action`])
//! - [`history`] is what happened, [`replay`] reads an earlier version and answers a repeated
//!   request ([`Order::replay`])
//! - [`ledger`] is the money
//!
//! Every function takes the order as it is and returns the order as it would be. The store writes
//! the result on condition that the order still has the same `version`, so only one of two
//! simultaneous changes succeeds.

pub mod aggregate;
pub mod apply_payment;
pub mod diagram;
pub mod history;
pub mod ledger;
pub mod payment;
pub mod replay;
pub mod settlement;
pub mod state;
pub mod table;
pub mod timers;
pub mod transition;
mod transition_error;
pub mod visibility;

pub use self::aggregate::{Order, OrderedService};
pub use self::history::{Actor, Event, EventKind, Idempotency, PaymentEvent};
pub use self::ledger::{Ledger, LedgerEntry, LedgerKind};
pub use self::payment::{
    Chargeback, ChargebackState, PaymentFact, PaymentFactKind, Refund, RefundStatus,
};
pub use self::settlement::{Attention, StripeAction};
pub use self::state::{ActorKind, PaymentStatus, Status, Timer, Transition};
pub use self::table::{Effect, Guard, Rule, TABLE};
pub use self::timers::Timers;
pub use self::transition::{ActorContext, Requester};
pub use self::transition_error::{Mismatch, TransitionError};
pub use self::visibility::Visibility;

#[cfg(test)]
pub(crate) mod tests;
