//! The catalogue of services.

pub mod categories;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;
mod view;

use shared::auth::Verifier;
use shared::config::{ConfigError, required};
use shared::domain::money::Currency;
use shared::secrets::CachedSecret;
use shared::store::{CursorKeys, Store};

pub use view::ServiceView;

use crate::runtime::context::{context, parts};

context! {
    /// For the list of services.
    Catalogue {
        /// The database.
        store: Store,
        /// Verifies access tokens.
        verifier: Verifier,
        /// The currency of prices, unless a request names another.
        currency: HomeCurrency,
        /// Seals and opens cursors.
        cursors: CachedSecret<CursorKeys>,
    }
}

/// `CURRENCY`: the marketplace's own currency.
pub struct HomeCurrency(pub Currency);

parts! {
    HomeCurrency: home_currency();
}

fn home_currency() -> Result<HomeCurrency, ConfigError> {
    let currency = required("CURRENCY")?.parse().map_err(|e| ConfigError::new("CURRENCY", e))?;
    Ok(HomeCurrency(currency))
}
