//! The paths of the API.

use axum::http::Method;

use super::call::Endpoint;
use super::{balance_transactions, charges, disputes, events, payment_intents, refunds};
use crate::error::Error;

/// The endpoint of a request.
pub(super) struct Route<'p> {
    pub(super) endpoint: Endpoint,
    /// The id in the path. Empty when the path has none.
    pub(super) id: &'p str,
    /// Whether a publishable key may call it.
    pub(super) public: bool,
}

/// Returns the endpoint for a method and path.
///
/// # Errors
/// Stripe's 404 when no endpoint has this method and path.
pub(super) fn route<'p>(method: &Method, path: &'p str) -> Result<Route<'p>, Error> {
    find(method, path).ok_or_else(|| unrecognized(method, path))
}

fn find<'p>(method: &Method, path: &'p str) -> Option<Route<'p>> {
    let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
    let (endpoint, id, public): (Endpoint, &str, bool) = match (method.as_str(), parts.as_slice()) {
        ("POST", ["payment_intents"]) => (payment_intents::create, "", false),
        ("GET", ["payment_intents"]) => (payment_intents::list, "", false),
        ("GET", ["payment_intents", id]) => (payment_intents::retrieve, id, true),
        ("POST", ["payment_intents", id]) => (payment_intents::update, id, false),
        ("POST", ["payment_intents", id, "confirm"]) => (payment_intents::confirm, id, true),
        ("POST", ["payment_intents", id, "cancel"]) => (payment_intents::cancel, id, false),
        ("POST", ["refunds"]) => (refunds::create, "", false),
        ("GET", ["refunds"]) => (refunds::list, "", false),
        ("GET", ["refunds", id]) => (refunds::retrieve, id, false),
        ("POST", ["refunds", id, "cancel"]) => (refunds::cancel, id, false),
        ("GET", ["charges"]) => (charges::list, "", false),
        ("GET", ["charges", id]) => (charges::retrieve, id, false),
        ("GET", ["disputes"]) => (disputes::list, "", false),
        ("GET", ["disputes", id]) => (disputes::retrieve, id, false),
        ("GET", ["balance_transactions", id]) => (balance_transactions::retrieve, id, false),
        ("GET", ["events"]) => (events::list, "", false),
        ("GET", ["events", id]) => (events::retrieve, id, false),
        _ => return None,
    };
    // A trailing slash is not an empty id.
    (!parts.contains(&"")).then_some(Route { endpoint, id, public })
}

fn unrecognized(method: &Method, path: &str) -> Error {
    let mut error = Error::invalid_request(format!(
        "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove \
         the trailing slash. If you are trying to retrieve an object, make sure you passed a valid \
         (non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at \
         https://support.stripe.com/."
    ));
    error.status = 404;
    error.executed = false;
    error
}
