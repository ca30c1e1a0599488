//! An endpoint's address, and who may call it.

use std::fmt;

use shared::domain::user::Role;
use shared::error::{Error, Result, catalogue};

/// One endpoint of the HTTP API. Each handler's file declares its own as `ENDPOINT`. The handler
/// checks the caller against it, idempotency keys are bound to it, and the API description shows
/// it.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// `POST`.
    pub method: &'static str,
    /// `/orders/{id}/accept`.
    pub path: &'static str,
    /// Who may call it.
    pub who: Who,
}

macro_rules! methods {
    ($($name:ident $method:literal)*) => {$(
        #[doc = concat!("`", $method, "` of this path.")]
        pub const fn $name(path: &'static str, who: Who) -> Self {
            Self { method: $method, path, who }
        }
    )*};
}

impl Endpoint {
    methods! { get "GET" post "POST" patch "PATCH" delete "DELETE" }
}

/// `POST /orders/{id}/accept`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anyone.
    Anyone,
    /// Anyone. Signed-in users may see more.
    OptionallySignedIn,
    /// Every signed-in user.
    User,
    /// Clients.
    Client,
    /// Workers.
    Worker,
    /// Administrators.
    Admin,
    /// Those who take part in the order in the path in one of these roles: its client, its worker
    /// or administrators. Only the order can tell who they are, so [`Who::check`] allows every
    /// role: to everyone who may not see the order, it is not found.
    OrderParty(&'static [Role]),
}

impl Who {
    /// Checks the role that an access token states.
    ///
    /// # Errors
    /// 403 for a role that may not call the endpoint.
    pub fn check(self, role: Role) -> Result<()> {
        let (required, who) = match self {
            Self::Client => (Role::Client, "clients"),
            Self::Worker => (Role::Worker, "workers"),
            Self::Admin => (Role::Admin, "administrators"),
            Self::Anyone | Self::OptionallySignedIn | Self::User | Self::OrderParty(_) => {
                return Ok(());
            }
        };
        match role == required {
            true => Ok(()),
            false => Err(Error::new(&catalogue::FORBIDDEN, format!("Only {who} may do this."))),
        }
    }
}
