//! What handlers work with. A handler's first parameter names the context it needs, and with it
//! what its function's environment must hold: a variable that is missing ends the sandbox in INIT,
//! by name.
//!
//! A context is a list of parts ([`context!`]); each part knows how it is built and whether it
//! opens a connection.

use jiff::SignedDuration;
use shared::auth::{Issuer, KeySet, Verifier};
use shared::config::{ConfigError, parsed, required};
use shared::domain::money::Currency;
use shared::domain::order::Timers;
use shared::live::Live;
use shared::live::catch_up::CatchUp;
use shared::live::fan_out::FanOut;
use shared::live::push::TimeoutPolicy;
use shared::payments::Stripe;
use shared::payments::signature::WebhookSecrets;
use shared::store::{Connections, CursorKey, Store};

use crate::auth::throttle::{RegistrationLimit, SignInLimits};

/// What is built from the environment, once per sandbox: a context, or a part of one.
pub trait FromEnv: Sized + Send + Sync + 'static {
    /// Builds it; an error names the variable that is missing or wrong.
    fn from_env() -> Result<Self, ConfigError>;

    /// Opens its connection, if it has one, while the sandbox initialises: CPU is not throttled
    /// then.
    fn warm(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Declares contexts: structs whose fields are all [`FromEnv`].
macro_rules! context {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $part:ty,)* })*) => {$(
        $(#[$doc])*
        pub struct $name {
            $($(#[$field_doc])* pub $field: $part,)*
        }

        impl $crate::context::FromEnv for $name {
            fn from_env() -> ::std::result::Result<Self, ::shared::config::ConfigError> {
                Ok(Self { $($field: $crate::context::FromEnv::from_env()?,)* })
            }

            async fn warm(&self) {
                ::futures::join!($($crate::context::FromEnv::warm(&self.$field),)*);
            }
        }
    )*};
}

pub(crate) use context;

context! {
    /// Nothing at all.
    Nothing {}

    /// The data alone.
    Data {
        /// The data.
        store: Store,
    }

    /// The store, and who is calling: what most endpoints need.
    Context {
        /// The data.
        store: Store,
        /// Knows access tokens.
        verifier: Verifier,
    }

    /// For placing and moving orders.
    Orders {
        /// The data.
        store: Store,
        /// Knows access tokens.
        verifier: Verifier,
        /// How long an order's timers run.
        timers: Timers,
    }

    /// For what moves orders by the clock.
    Clockwork {
        /// The data.
        store: Store,
        /// How long an order's timers run.
        timers: Timers,
    }

    /// For lists.
    Listing {
        /// The data.
        store: Store,
        /// Knows access tokens.
        verifier: Verifier,
        /// Seals cursors.
        cursors: CursorKey,
    }

    /// For the list of services.
    Catalogue {
        /// The data.
        store: Store,
        /// Knows access tokens.
        verifier: Verifier,
        /// What prices are in unless a request says otherwise.
        currency: HomeCurrency,
        /// Seals cursors.
        cursors: CursorKey,
    }

    /// For signing people in.
    SignIn {
        /// The data.
        store: Store,
        /// Signs access tokens.
        issuer: Issuer,
        /// How often a password may be wrong.
        limits: SignInLimits,
    }

    /// For registering.
    Registration {
        /// The data.
        store: Store,
        /// How often.
        limit: RegistrationLimit,
    }

    /// For changing one's password.
    PasswordChange {
        /// The data.
        store: Store,
        /// Knows access tokens.
        verifier: Verifier,
        /// How often a password may be wrong.
        limits: SignInLimits,
    }

    /// For whoever verifies access tokens.
    Keys {
        /// The public keys.
        keys: KeySet,
    }

    /// For giving out tickets.
    Tickets {
        /// The data.
        store: Store,
        /// Knows access tokens.
        verifier: Verifier,
        /// Sockets and tickets.
        connections: Connections,
        /// Where sockets connect to.
        url: LiveUrl,
    }

    /// Sockets alone.
    Sockets {
        /// Sockets and tickets.
        connections: Connections,
    }

    /// For opening sockets.
    Handshake {
        /// Feeds, sockets, and the way to the sockets.
        live: Live,
        /// Origins that browsers may connect from.
        origins: Origins,
    }

    /// For what Stripe sends.
    Webhook {
        /// The data.
        store: Store,
        /// The endpoint's signing secrets.
        secrets: WebhookSecrets,
    }
}

/// Parts that read the environment and open nothing.
macro_rules! plain_parts {
    ($($part:ty: $build:expr;)*) => {$(
        impl FromEnv for $part {
            fn from_env() -> Result<Self, ConfigError> {
                $build
            }
        }
    )*};
}

plain_parts! {
    Verifier: Verifier::from_env();
    Issuer: Issuer::from_env();
    KeySet: KeySet::from_env();
    SignInLimits: SignInLimits::from_env();
    RegistrationLimit: RegistrationLimit::from_env();
    CursorKey: CursorKey::from_env();
    Stripe: Stripe::from_env();
    WebhookSecrets: WebhookSecrets::from_env();
    Timers: timers();
    LiveUrl: required("LIVE_URL").map(Self);
    Origins: required("ALLOWED_ORIGINS").map(|list| Self(list.split(',').map(|origin| origin.trim().to_owned()).collect()));
    HomeCurrency: currency();
    PublishableKey: required("STRIPE_PUBLISHABLE_KEY").map(Self);
}

impl FromEnv for Store {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) {
        self.warm().await;
    }
}

impl FromEnv for Connections {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) {
        self.warm().await;
    }
}

impl FromEnv for Live {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env(TimeoutPolicy::Usual)
    }

    async fn warm(&self) {
        self.connections.warm().await;
    }
}

impl FromEnv for FanOut {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) {
        self.live.connections.warm().await;
    }
}

impl FromEnv for CatchUp {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) {
        self.live.connections.warm().await;
    }
}

/// `LIVE_URL`: where sockets connect to (`wss://...`).
pub struct LiveUrl(pub String);

/// `ALLOWED_ORIGINS`: origins that browsers may open sockets from.
pub struct Origins(Vec<String>);

impl Origins {
    /// Whether this is one of them.
    pub fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}

/// `CURRENCY`: the marketplace's own.
pub struct HomeCurrency(pub Currency);

fn currency() -> Result<HomeCurrency, ConfigError> {
    let currency = required("CURRENCY")?.parse().map_err(|e| ConfigError::new("CURRENCY", e))?;
    Ok(HomeCurrency(currency))
}

/// `STRIPE_PUBLISHABLE_KEY`: what a browser calls Stripe with.
pub struct PublishableKey(pub String);

/// From `ORDER_UNPAID_SECONDS`, `ORDER_UNCLAIMED_SECONDS` and `ORDER_UNREVIEWED_SECONDS`.
fn timers() -> Result<Timers, ConfigError> {
    let usual = Timers::default();
    let read =
        |name, usual: SignedDuration| Ok(SignedDuration::from_secs(parsed(name, usual.as_secs())?));
    Ok(Timers {
        unpaid: read("ORDER_UNPAID_SECONDS", usual.unpaid)?,
        unclaimed: read("ORDER_UNCLAIMED_SECONDS", usual.unclaimed)?,
        unreviewed: read("ORDER_UNREVIEWED_SECONDS", usual.unreviewed)?,
    })
}
