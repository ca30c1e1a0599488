//! Contexts: what a handler works with. A handler's first parameter names the context that it
//! needs, and so which environment variables its function needs. A missing variable ends the
//! sandbox during INIT, with an error that names it.
//!
//! A context is a list of parts (see [`context!`]). Each part knows how to build itself and whether
//! it has a connection to open. Parts and contexts of one area are declared in that area's
//! `mod.rs`; those that several areas share are declared here.

use jiff::SignedDuration;
use shared::auth::Verifier;
use shared::config::{ConfigError, parsed};
use shared::domain::order::Timers;
use shared::payments::Stripe;
use shared::secrets::{CachedSecret, FromSecret};
use shared::store::{CursorKeys, Store};

/// A context, or a part of one: built from the environment, once per sandbox.
pub trait FromEnv: Sized + Send + Sync + 'static {
    /// Builds the value from environment variables.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    fn from_env() -> Result<Self, ConfigError>;

    /// Opens its connection and reads its secret, if it has them. Called while the sandbox
    /// initializes, when Lambda does not throttle the CPU. All parts of a context do so at the same
    /// time.
    ///
    /// # Errors
    /// Names the secret that can't be read. A connection that can't be opened is not an error,
    /// because the first request opens it again.
    fn warm(&self) -> impl Future<Output = Result<(), ConfigError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Declares contexts: structs whose fields are all [`FromEnv`].
macro_rules! context {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $part:ty,)* })*) => {$(
        $(#[$doc])*
        pub struct $name {
            $($(#[$field_doc])* pub $field: $part,)*
        }

        impl $crate::runtime::context::FromEnv for $name {
            fn from_env() -> ::std::result::Result<Self, ::shared::config::ConfigError> {
                Ok(Self { $($field: $crate::runtime::context::FromEnv::from_env()?,)* })
            }

            async fn warm(&self) -> ::std::result::Result<(), ::shared::config::ConfigError> {
                ::futures::try_join!($($crate::runtime::context::FromEnv::warm(&self.$field),)*)?;
                Ok(())
            }
        }
    )*};
}

/// Implements [`FromEnv`] for parts that read the environment and open no connection.
macro_rules! parts {
    ($($part:ty: $build:expr;)*) => {$(
        impl $crate::runtime::context::FromEnv for $part {
            fn from_env() -> ::std::result::Result<Self, ::shared::config::ConfigError> {
                $build
            }
        }
    )*};
}

pub(crate) use {context, parts};

context! {
    /// An empty context.
    Nothing {}

    /// The store alone, for functions that don't check who is calling.
    Database {
        /// The database.
        store: Store,
    }

    /// The store and the caller: what most endpoints need.
    Context {
        /// The database.
        store: Store,
        /// Verifies access tokens.
        verifier: Verifier,
    }

    /// For endpoints that return a page of a list.
    Listing {
        /// The database.
        store: Store,
        /// Verifies access tokens.
        verifier: Verifier,
        /// Seals and opens cursors.
        cursors: CachedSecret<CursorKeys>,
    }
}

parts! {
    Verifier: Verifier::from_env();
    Timers: timers();
}

impl FromEnv for Store {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) -> Result<(), ConfigError> {
        self.warm().await;
        Ok(())
    }
}

impl<T: FromSecret> FromEnv for CachedSecret<T> {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) -> Result<(), ConfigError> {
        self.load().await
    }
}

impl FromEnv for Stripe {
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) -> Result<(), ConfigError> {
        self.load().await
    }
}

/// Reads the timers from `ORDER_UNPAID_SECONDS`, `ORDER_UNCLAIMED_SECONDS` and
/// `ORDER_UNREVIEWED_SECONDS`.
fn timers() -> Result<Timers, ConfigError> {
    let default = Timers::default();
    let read = |name, default: SignedDuration| {
        Ok(SignedDuration::from_secs(parsed(name, default.as_secs())?))
    };
    Ok(Timers {
        unpaid: read("ORDER_UNPAID_SECONDS", default.unpaid)?,
        unclaimed: read("ORDER_UNCLAIMED_SECONDS", default.unclaimed)?,
        unreviewed: read("ORDER_UNREVIEWED_SECONDS", default.unreviewed)?,
    })
}
