//! Live updates: tickets, sockets, feeds, and who is notified of what.

pub mod broadcast;
pub mod catch_up;
pub mod connect;
pub mod default;
pub mod disconnect;
pub(crate) mod entry;
pub mod fan_out;
pub mod feed;
pub mod notify;
mod requests;
pub mod ticket;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use shared::auth::Verifier;
use shared::config::{ConfigError, required};
use shared::error::{Error, Result};
use shared::live::LiveService;
use shared::live::catch_up::CatchUp;
use shared::live::fan_out::FanOut;
use shared::live::push::TimeoutPolicy;
use shared::store::{Connections, Store};

use crate::runtime::context::{FromEnv, context, parts};

context! {
    /// For issuing tickets.
    Tickets {
        /// The database.
        store: Store,
        /// Verifies access tokens.
        verifier: Verifier,
        /// The database of sockets and tickets.
        connections: Connections,
        /// Where sockets connect to.
        url: LiveUrl,
    }

    /// For cleaning up after closed sockets.
    Sockets {
        /// The database of sockets and tickets.
        connections: Connections,
    }

    /// For opening sockets.
    Handshake {
        /// Feeds, sockets, and the client that posts to sockets.
        live: LiveService,
        /// The origins that browsers may connect from.
        origins: Origins,
    }
}

/// Returns the id of the socket that an event is about.
fn connection_id(event: &ApiGatewayWebsocketProxyRequest) -> Result<&str> {
    let id = event.request_context.connection_id.as_deref();
    id.ok_or_else(|| Error::internal("a socket event without a connection id"))
}

/// `LIVE_URL`: where sockets connect to (`wss://...`).
pub struct LiveUrl(pub String);

/// `ALLOWED_ORIGINS`: the origins that browsers may open sockets from.
pub struct Origins(Vec<String>);

impl Origins {
    fn from_env() -> std::result::Result<Self, ConfigError> {
        let list = required("ALLOWED_ORIGINS")?;
        Ok(Self(list.split(',').map(|origin| origin.trim().to_owned()).collect()))
    }

    /// Whether a browser may open a socket from this origin.
    pub fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}

parts! {
    LiveUrl: required("LIVE_URL").map(Self);
    Origins: Origins::from_env();
}

impl FromEnv for Connections {
    fn from_env() -> std::result::Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) -> std::result::Result<(), ConfigError> {
        self.warm().await;
        Ok(())
    }
}

impl FromEnv for LiveService {
    fn from_env() -> std::result::Result<Self, ConfigError> {
        Self::from_env(TimeoutPolicy::Usual)
    }

    async fn warm(&self) -> std::result::Result<(), ConfigError> {
        self.connections.warm().await;
        Ok(())
    }
}

impl FromEnv for FanOut {
    fn from_env() -> std::result::Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) -> std::result::Result<(), ConfigError> {
        self.live.connections.warm().await;
        Ok(())
    }
}

impl FromEnv for CatchUp {
    fn from_env() -> std::result::Result<Self, ConfigError> {
        Self::from_env()
    }

    async fn warm(&self) -> std::result::Result<(), ConfigError> {
        self.live.connections.warm().await;
        Ok(())
    }
}
