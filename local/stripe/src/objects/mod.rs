//! Stripe's objects: the records in the store, and their JSON in the API.

pub(crate) mod balance_transaction;
pub(crate) mod charge;
pub(crate) mod dispute;
pub(crate) mod event;
pub(crate) mod payment_intent;
pub(crate) mod payment_method;
pub(crate) mod refund;
pub(crate) mod test_method;
