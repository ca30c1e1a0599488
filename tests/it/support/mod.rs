//! What the tests stand on: the cloud, an HTTP client, a socket client, and people.

mod client;
mod cloud;
mod orders;
mod people;
mod socket;

pub use client::{Answer, Client};
pub use cloud::{Cloud, cloud, workspace};
pub use orders::{Job, People, body, open_order, pay, place, until, until_payment};
pub use people::{User, admin, client, price, service, unique, worker};
pub use socket::Socket;
