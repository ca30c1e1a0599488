//! Stripe's objects. Each has the record that is stored and the JSON that the API shows.

pub(crate) mod balance_transaction;
pub(crate) mod charge;
pub(crate) mod dispute;
pub(crate) mod event;
pub(crate) mod payment_intent;
pub(crate) mod payment_method;
pub(crate) mod refund;
pub(crate) mod test_method;
