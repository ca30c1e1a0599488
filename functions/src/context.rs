//! What handlers work with. A handler's first parameter names the context it needs, and with it what its function's environment must hold:
//! a variable that is missing ends the sandbox in INIT, by name.

use jiff::SignedDuration;
use shared::auth::{Issuer, Verifier};
use shared::config::{ConfigError, parsed, required};
use shared::domain::order::Timers;
use shared::live::Live;
use shared::store::{Connections, CursorKey, Store};

/// A context that is built from the environment, once per sandbox.
pub trait FromEnv: Sized + Send + Sync + 'static {
    /// Builds it; an error names the variable that is missing or wrong.
    fn from_env() -> Result<Self, ConfigError>;

    /// Opens connections, while the sandbox initialises.
    fn warm(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Nothing at all.
#[derive(Debug)]
pub struct Nothing;

impl FromEnv for Nothing {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self)
    }
}

/// The store, and who is calling: what most endpoints need.
pub struct Context {
    /// The data.
    pub store: Store,
    /// Knows access tokens.
    pub verifier: Verifier,
}

impl FromEnv for Context {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Store::from_env()?, verifier: Verifier::from_env()? })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// For placing and moving orders.
pub struct Orders {
    /// The data.
    pub store: Store,
    /// Knows access tokens.
    pub verifier: Verifier,
    /// How long an order's timers run.
    pub timers: Timers,
}

impl FromEnv for Orders {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Store::from_env()?, verifier: Verifier::from_env()?, timers: timers()? })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// From `ORDER_UNPAID_SECONDS`, `ORDER_UNCLAIMED_SECONDS` and `ORDER_UNREVIEWED_SECONDS`.
pub fn timers() -> Result<Timers, ConfigError> {
    let usual = Timers::default();
    let read = |name, usual: SignedDuration| Ok(SignedDuration::from_secs(parsed(name, usual.as_secs())?));
    Ok(Timers {
        unpaid: read("ORDER_UNPAID_SECONDS", usual.unpaid)?,
        unclaimed: read("ORDER_UNCLAIMED_SECONDS", usual.unclaimed)?,
        unreviewed: read("ORDER_UNREVIEWED_SECONDS", usual.unreviewed)?,
    })
}

/// For lists.
pub struct Listing {
    /// The data.
    pub store: Store,
    /// Knows access tokens.
    pub verifier: Verifier,
    /// Seals cursors.
    pub cursors: CursorKey,
}

impl FromEnv for Listing {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Store::from_env()?, verifier: Verifier::from_env()?, cursors: CursorKey::from_env()? })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// For lists that anyone may read.
pub struct Catalogue {
    /// The data.
    pub store: Store,
    /// Seals cursors.
    pub cursors: CursorKey,
}

impl FromEnv for Catalogue {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Store::from_env()?, cursors: CursorKey::from_env()? })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// For signing people in.
pub struct SignIn {
    /// The data.
    pub store: Store,
    /// Signs access tokens.
    pub issuer: Issuer,
}

impl FromEnv for SignIn {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Store::from_env()?, issuer: Issuer::from_env()? })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// The data alone.
pub struct Data {
    /// The data.
    pub store: Store,
}

impl FromEnv for Data {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Store::from_env()? })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

impl FromEnv for Live {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// For giving out tickets.
pub struct Tickets {
    /// The data.
    pub store: Store,
    /// Knows access tokens.
    pub verifier: Verifier,
    /// Sockets and tickets.
    pub connections: Connections,
    /// Where sockets connect to (`wss://...`).
    pub url: String,
}

impl FromEnv for Tickets {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::from_env()?,
            verifier: Verifier::from_env()?,
            connections: Connections::from_env()?,
            url: required("LIVE_URL")?,
        })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// Sockets alone.
pub struct Sockets {
    /// Sockets and tickets.
    pub connections: Connections,
}

impl FromEnv for Sockets {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { connections: Connections::from_env()? })
    }

    async fn warm(&self) {
        self.connections.warm().await;
    }
}

/// For opening sockets.
pub struct Handshake {
    /// Feeds, sockets, and the way to the sockets.
    pub live: Live,
    /// Origins that browsers may connect from.
    pub origins: Vec<String>,
}

impl FromEnv for Handshake {
    fn from_env() -> Result<Self, ConfigError> {
        let origins = required("ALLOWED_ORIGINS")?;
        let origins = origins.split(',').map(|origin| origin.trim().to_owned()).collect();
        Ok(Self { live: Live::from_env()?, origins })
    }

    async fn warm(&self) {
        self.live.connections.warm().await;
    }
}
