//! Which paths there are.

use axum::http::Method;
use serde_json::Value;

use super::{Call, others, payment_intents};
use crate::error::Error;
use crate::transaction::Transaction;

/// What runs a call.
pub(super) type Endpoint = fn(&mut Transaction<'_>, &mut Call) -> Result<Value, Error>;

/// The endpoint for a method and path, and the id in the path. `public` endpoints take a
/// publishable key.
pub(super) fn route<'p>(method: &Method, path: &'p str) -> Option<(Endpoint, &'p str, bool)> {
    let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
    let found: (Endpoint, &str, bool) = match (method.as_str(), parts.as_slice()) {
        ("POST", ["payment_intents"]) => (payment_intents::create, "", false),
        ("GET", ["payment_intents"]) => (payment_intents::list, "", false),
        ("GET", ["payment_intents", id]) => (payment_intents::retrieve, id, true),
        ("POST", ["payment_intents", id]) => (payment_intents::update, id, false),
        ("POST", ["payment_intents", id, "confirm"]) => (payment_intents::confirm, id, true),
        ("POST", ["payment_intents", id, "cancel"]) => (payment_intents::cancel, id, false),
        ("POST", ["refunds"]) => (others::create_refund, "", false),
        ("GET", ["refunds"]) => (others::list_refunds, "", false),
        ("GET", ["refunds", id]) => (others::retrieve_refund, id, false),
        ("POST", ["refunds", id, "cancel"]) => (others::cancel_refund, id, false),
        ("GET", ["charges"]) => (others::list_charges, "", false),
        ("GET", ["charges", id]) => (others::retrieve_charge, id, false),
        ("GET", ["disputes"]) => (others::list_disputes, "", false),
        ("GET", ["disputes", id]) => (others::retrieve_dispute, id, false),
        ("GET", ["balance_transactions", id]) => (others::retrieve_balance_transaction, id, false),
        ("GET", ["events"]) => (others::list_events, "", false),
        ("GET", ["events", id]) => (others::retrieve_event, id, false),
        _ => return None,
    };
    // A trailing slash is not an empty id.
    (!parts.contains(&"")).then_some(found)
}

/// Stripe's 404.
pub(super) fn unrecognized(method: &Method, path: &str) -> Error {
    let mut error = Error::refused(format!(
        "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make \
         sure you passed a valid (non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
    ));
    error.status = 404;
    error.executed = false;
    error
}
