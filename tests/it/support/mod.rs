//! What the tests stand on: the cloud, an HTTP client, a socket client, and people.

mod checkout;
mod client;
mod cloud;
mod events;
mod orders;
mod patience;
mod people;
mod socket;
mod stripe;
mod token;

pub use checkout::{Checkout, Shopper, ledger, states};
pub use client::{Answer, Client};
pub use cloud::{Cloud, Failed, cloud, functions, workspace};
pub use events::{filed, handled, listed, silent};
pub use orders::{Job, People, assigned, body, open_order, pay, place, until, until_payment};
pub use patience::eventually;
pub use people::{User, admin, client, price, refresh, service, sign_in, unique, worker};
pub use socket::Socket;
pub use stripe::{Stripe, now, signature, v1};
pub use token::{Forge, local_env};
