//! `/_local/payment_intents`: ends the wait for the customer's authentication or for the bank.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::error::Error;
use crate::money;
use crate::objects::payment_intent::Status;
use crate::stripe::Stripe;
use crate::transaction::Cause;

/// `GET .../{id}/authenticate`: returns the bank's page, with a button for each outcome.
///
/// # Errors
/// 404 when the intent does not exist.
pub(super) async fn authentication_page(
    State(stripe): State<Arc<Stripe>>,
    Path(id): Path<String>,
) -> Result<Html<String>, Error> {
    let intent = stripe.store().intents.get(&id).cloned();
    let intent = intent.ok_or_else(|| Error::missing("payment_intent", &id))?;
    let amount = money::format(intent.amount, &intent.currency);
    // The stand-in generated the id, so it needs no escaping.
    Ok(Html(format!(
        "<!doctype html><title>Test bank</title><h1>Pay {amount}?</h1>\
         <form method=post action=succeed><button>Complete authentication</button></form>\
         <form method=post action=fail><button>Fail authentication</button></form><p>{}</p>",
        intent.id
    )))
}

/// `POST .../{id}/succeed`: the customer authenticates, or the bank pays.
///
/// # Errors
/// 404 when the intent does not exist, 400 when it isn't waiting, 500 when the data file cannot be
/// written.
pub(super) async fn succeed(
    State(stripe): State<Arc<Stripe>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    conclude(&stripe, &id, &headers, true)
}

/// `POST .../{id}/fail`: the customer fails to authenticate, or the bank declines.
///
/// # Errors
/// As for [`succeed`]: 404 when the intent does not exist, 400 when it isn't waiting, 500 when the
/// data file cannot be written.
pub(super) async fn fail(
    State(stripe): State<Arc<Stripe>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    conclude(&stripe, &id, &headers, false)
}

fn conclude(
    stripe: &Arc<Stripe>,
    id: &str,
    headers: &HeaderMap,
    succeeds: bool,
) -> Result<Response, Error> {
    let intent = stripe.transact(Cause::default(), |transaction| {
        let intent = transaction.intent(id)?;
        if !matches!(intent.status, Status::RequiresAction | Status::Processing) {
            return Err(intent.unexpected_state(format!(
                "This PaymentIntent waits neither for the customer nor for the bank: it has a \
                 status of {}.",
                intent.status.name()
            )));
        }
        Ok(transaction.conclude(intent, Some(succeeds)))
    })??;
    // A browser on the bank's page is redirected to the shop. A test gets the intent.
    let is_browser = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    Ok(match intent.return_url.as_deref().filter(|_| is_browser) {
        Some(url) => {
            let separator = if url.contains('?') { '&' } else { '?' };
            let status = if intent.status == Status::Succeeded { "succeeded" } else { "failed" };
            let secret = &intent.client_secret;
            let shop = format!(
                "{url}{separator}payment_intent={id}&payment_intent_client_secret={secret}\
                 &redirect_status={status}"
            );
            Redirect::to(&shop).into_response()
        }
        None => Json(intent.to_json()).into_response(),
    })
}
