//! Orders: placing them, reading them, and moving them through the transition table.

pub mod accept;
pub mod cancel;
pub mod complete;
pub mod create;
pub mod deliver;
pub mod dispute;
pub mod events;
pub mod get;
pub mod list;
pub mod open;
pub(crate) mod read;
pub mod reassign;
pub mod release;
pub mod request_revision;
pub mod resolve;
pub mod timers;
pub(crate) mod transition;
mod view;

use shared::auth::Verifier;
use shared::domain::order::Timers;
use shared::store::Store;

pub use view::OrderView;

use crate::runtime::context::context;

context! {
    /// For placing and moving orders.
    Orders {
        /// The database.
        store: Store,
        /// Verifies access tokens.
        verifier: Verifier,
        /// How long an order's timers run.
        timers: Timers,
    }

    /// For moving orders whose deadline has passed.
    OrderTimers {
        /// The database.
        store: Store,
        /// How long an order's timers run.
        timers: Timers,
    }
}
