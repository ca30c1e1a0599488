//! The API, from the HTTP request to the response: the API key, the route, the parameters, the
//! idempotency key, the endpoint and its JSON.

mod auth;
mod balance_transactions;
mod call;
mod charges;
mod disputes;
mod events;
mod expand;
mod idempotency;
mod page;
mod payment_intent_params;
mod payment_intents;
mod payment_method_params;
mod refunds;
mod response;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

use self::auth::Key;
use self::call::{Call, Endpoint};
use self::idempotency::{Claim, KeyUse};
use self::response::{ApiResponse, reset};
use crate::error::Error;
use crate::faults::Fault;
use crate::ids;
use crate::objects::test_method::{Outcome, by_name};
use crate::params::Params;
use crate::stripe::Stripe;
use crate::transaction::{Cause, Transaction};

/// The largest body that is read. Stripe's parameters are far smaller.
const LARGEST_BODY: usize = 1024 * 1024;

/// Serves every path outside the control API.
pub(crate) async fn serve(State(stripe): State<Arc<Stripe>>, request: Request) -> Response {
    let request_id = format!("req_{}", ids::random(14));
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large").into_response();
    };
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let idempotency_key = header(&parts.headers, "idempotency-key");
    let idempotency_key = idempotency_key.filter(|_| method == Method::POST).map(str::to_owned);
    let version = header(&parts.headers, "stripe-version");
    let version = version.unwrap_or(&stripe.options.api_version).to_owned();
    let cause =
        Cause { request_id: Some(request_id.clone()), idempotency_key: idempotency_key.clone() };

    let (response, fault) = run(&stripe, parts, body, cause).await;
    stripe.log.line(Some(&request_id), &format!("{method} {path} {}", response.status));
    let wait = match fault {
        Some(Fault::ConnectionReset | Fault::ConnectionResetAfterActing) => return reset(),
        Some(Fault::TimeoutAfterActing) => Some(Duration::from_secs(600)),
        Some(Fault::SlowResponse { delay_ms }) => Some(Duration::from_millis(delay_ms)),
        _ => None,
    };
    if let Some(wait) = wait
        && stripe.stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none()
    {
        return reset();
    }
    response.into_http(&request_id, &version, idempotency_key.as_deref())
}

/// Runs a call in its own task, so that it runs to its end even if the client hangs up. Returns the
/// response, and the fault that was injected.
async fn run(
    stripe: &Arc<Stripe>,
    parts: Parts,
    body: Bytes,
    cause: Cause,
) -> (ApiResponse, Option<Fault>) {
    let stripe = Arc::clone(stripe);
    let call = tokio::spawn(async move {
        let query = parts.uri.query().unwrap_or_default();
        let parameters = [query, &String::from_utf8_lossy(&body)].concat();
        let fault = stripe.faults.take(&parts.method, parts.uri.path(), &parameters);
        let result = respond(&stripe, &parts, &body, cause, fault).await;
        (result.unwrap_or_else(|error| ApiResponse::of(&Err(error))), fault)
    });
    call.await.unwrap_or_else(|_| {
        let error = Error::internal("The stand-in failed; its standard error output says why.");
        (ApiResponse::of(&Err(error)), None)
    })
}

async fn respond(
    stripe: &Arc<Stripe>,
    parts: &Parts,
    body: &Bytes,
    cause: Cause,
    fault: Option<Fault>,
) -> Result<ApiResponse, Error> {
    let (method, path) = (&parts.method, parts.uri.path());
    let api_key = Key::of(&parts.headers, &stripe.options)?;
    let route = routes::route(method, path)?;
    if api_key == Key::Publishable && !route.public {
        return Err(auth::secret_key_required());
    }
    let encoded = match *method {
        Method::GET => parts.uri.query().unwrap_or_default().as_bytes(),
        _ => form(&parts.headers, body)?,
    };
    let mut call = Call { key: api_key, id: route.id.to_owned(), params: Params::parse(encoded)? };
    let expanded = call.params.list("expand")?.unwrap_or_default();
    match fault {
        Some(Fault::Error429) => return Err(too_many_requests()),
        // The client doesn't see this response, because its connection breaks.
        Some(Fault::ConnectionReset) => return Err(Error::internal("connection reset")),
        _ => {}
    }

    let idempotency_key = cause.idempotency_key.as_deref();
    let key_use = idempotency_key.map(|key| KeyUse::new(key, path, encoded)).transpose()?;
    let claim = key_use.as_ref().map(|key_use| idempotency::claim(stripe, key_use)).transpose()?;
    let _guard = match claim {
        Some(Claim::Replay(first)) => return Ok(first),
        Some(Claim::Execute(guard)) => Some(guard),
        None => None,
    };
    if is_slow_payment(stripe, path, &call) {
        tokio::time::sleep(stripe.options.slow_payment).await;
    }
    stripe.transact(cause, |transaction| {
        let result = execute(transaction, route.endpoint, &mut call, &expanded, fault);
        let response = ApiResponse::of(&result);
        if let Some(key_use) = key_use
            && result.as_ref().map_or_else(|error| error.executed, |_| true)
        {
            let saved = key_use.save(&response, transaction);
            transaction.put(saved);
        }
        response
    })
}

/// Executes a call, or the injected fault instead.
fn execute(
    transaction: &mut Transaction<'_>,
    endpoint: Endpoint,
    call: &mut Call,
    expanded: &[String],
    fault: Option<Fault>,
) -> Result<Value, Error> {
    let injected =
        || Error::internal("An unknown error occurred (a fault set through /_local/faults)");
    match fault {
        Some(Fault::Error500) => return Err(injected()),
        Some(Fault::Error400) => {
            let message = "Insufficient funds in your Stripe balance.";
            return Err(Error::invalid_request(message).code("balance_insufficient"));
        }
        _ => {}
    }
    let result = endpoint(transaction, call).and_then(|mut object| {
        expand::expand(transaction.store, &mut object, expanded)?;
        Ok(object)
    });
    match fault {
        Some(Fault::Error500AfterActing) => Err(injected()),
        _ => result,
    }
}

/// Returns whether the call is a payment with `pm_card_slow`.
fn is_slow_payment(stripe: &Stripe, path: &str, call: &Call) -> bool {
    let pays = path.ends_with("/confirm") || call.params.peek("confirm") == Some("true");
    if !pays {
        return false;
    }
    let named = call.params.peek("payment_method").and_then(by_name);
    let method = named.or_else(|| {
        let store = stripe.store();
        let attached = store.intents.get(&call.id)?.payment_method.as_ref()?;
        Some(attached.test())
    });
    method.is_some_and(|method| matches!(method.outcome, Outcome::SucceedsSlowly))
}

fn form<'b>(headers: &HeaderMap, body: &'b Bytes) -> Result<&'b [u8], Error> {
    let is_form = header(headers, CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if body.is_empty() || is_form {
        return Ok(body);
    }
    let mut error = Error::invalid_request(
        "Invalid request (check that your POST content type is \
         application/x-www-form-urlencoded). If you have any questions, we can help at \
         https://support.stripe.com/.",
    );
    error.executed = false;
    Err(error)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn too_many_requests() -> Error {
    let mut error = Error::invalid_request(
        "Request rate limit exceeded. You can learn more about rate limits here \
         https://stripe.com/docs/rate-limits.",
    )
    .code("rate_limit");
    error.status = 429;
    error.executed = false;
    error
}
