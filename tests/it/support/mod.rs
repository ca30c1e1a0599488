//! Helpers that tests share: local clouds, the deployed stack, an HTTP client, a socket client,
//! users, orders and payments.

mod checkout;
mod client;
mod cloud;
mod events;
mod eventually;
mod orders;
mod people;
mod project;
mod secrets;
mod socket;
mod stack;
mod stripe;
mod token;

pub use checkout::{Checkout, Shopper, ledger, statuses};
pub use client::{Client, Response};
pub use cloud::{Cloud, StartFailure, functions_binary, shared_cloud, workspace};
pub use events::{
    cloud_without_webhooks, deliver_events, events_in_state, start_without_webhooks, until_event,
    until_handled,
};
pub use eventually::{eventually, try_eventually};
pub use orders::{
    Parties, TestOrder, pay, place_assigned_order, place_order, place_paid_order, transition_body,
    until_order, until_payment_status, until_status,
};
pub use people::{
    User, admin, new_client, new_service, new_worker, price, refresh, sign_in, unique,
};
pub use project::{read, resources, template};
pub use secrets::SecretsManager;
pub use socket::Socket;
pub use stripe::{Stripe, now, signature, v1};
pub use token::{ForgedToken, NEXT_KEY, local_env};
