//! The API itself, from an HTTP request to Stripe's answer: key, route, parameters, idempotency
//! key, endpoint, JSON.

mod auth;
mod expand;
mod idempotency;
mod intent_params;
mod list;
mod others;
mod payment_intents;
mod payment_methods;
mod response;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

use self::auth::Key;
pub(super) use self::response::pretty;
use self::response::{Answer, reset, respond};
use self::routes::{route, unrecognized};
use super::error::{Error, required};
use super::faults::Fault;
use super::objects::payment_intent::PaymentIntent;
use super::objects::test_method::{Outcome, by_name};
use super::params::Params;
use super::transaction::Cause;
use super::{Stripe, ids};

/// Larger bodies than Stripe's parameters ever are.
const LARGEST_BODY: usize = 1024 * 1024;

/// A call on its way to its endpoint.
pub(super) struct Call {
    key: Key,
    /// The id in the path; empty when there is none.
    id: String,
    params: Params,
}

impl Call {
    /// Whether the caller may touch the intent: with a publishable key, only who knows its client
    /// secret.
    fn allow(&self, intent: &PaymentIntent, client_secret: Option<&str>) -> Result<(), Error> {
        if self.key == Key::Publishable {
            required(client_secret, "client_secret")?;
        }
        if client_secret.is_some_and(|secret| secret != intent.client_secret) {
            let message = "The client_secret provided does not match the client_secret associated with the PaymentIntent.";
            return Err(Error::refused(message)
                .code("payment_intent_invalid_parameter")
                .param("client_secret"));
        }
        Ok(())
    }

    /// The intent as this caller may see it.
    fn show(&self, intent: &PaymentIntent) -> Value {
        match self.key {
            Key::Secret => intent.to_json(),
            Key::Publishable => intent.to_public_json(),
        }
    }
}

/// Serves every path that is not the control API's.
pub(super) async fn serve(State(stripe): State<Arc<Stripe>>, request: Request) -> Response {
    let request_id = format!("req_{}", ids::random(14));
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large").into_response();
    };
    let key = (parts.method == Method::POST)
        .then(|| text(&parts.headers, "idempotency-key"))
        .flatten()
        .map(str::to_owned);
    let version =
        text(&parts.headers, "stripe-version").unwrap_or(&stripe.options.api_version).to_owned();
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let cause = Cause { request_id: Some(request_id.clone()), idempotency_key: key.clone() };

    // In a task of its own: a client that hangs up takes nothing back.
    let running = Arc::clone(&stripe);
    let (answer, fault) = tokio::spawn(async move {
        let parameters =
            [parts.uri.query().unwrap_or_default(), &String::from_utf8_lossy(&body)].concat();
        let fault = running.faults.take(&parts.method, parts.uri.path(), &parameters);
        let result = answer(&running, &parts, &body, cause, fault).await;
        (result.unwrap_or_else(|error| Answer::of(&Err(error))), fault)
    })
    .await
    .unwrap_or_else(|_| {
        (Answer::of(&Err(Error::internal("The stand-in failed; its log says why."))), None)
    });

    stripe.log.line(Some(&request_id), &format!("{method} {path} {}", answer.status));
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
    respond(answer, &request_id, &version, key.as_deref())
}

/// Runs the call.
async fn answer(
    stripe: &Arc<Stripe>,
    parts: &axum::http::request::Parts,
    body: &Bytes,
    cause: Cause,
    fault: Option<Fault>,
) -> Result<Answer, Error> {
    let (method, path) = (&parts.method, parts.uri.path());
    let key = Key::of(&parts.headers)?;
    let (endpoint, id, public) = route(method, path).ok_or_else(|| unrecognized(method, path))?;
    if key == Key::Publishable && !public {
        return Err(auth::secret_key_required());
    }
    let encoded = if *method == Method::GET {
        parts.uri.query().unwrap_or_default().as_bytes()
    } else {
        form(&parts.headers, body)?
    };
    let mut call = Call { key, id: id.to_owned(), params: Params::parse(encoded)? };
    let paths = call.params.list("expand")?.unwrap_or_default();
    match fault {
        Some(Fault::Error429) => return Err(too_many_requests()),
        // The answer does not matter: the connection ends without it.
        Some(Fault::ConnectionReset) => return Err(Error::internal("connection reset")),
        _ => {}
    }

    let use_of_key = cause
        .idempotency_key
        .as_deref()
        .map(|key| idempotency::Use::new(key, path, encoded))
        .transpose()?;
    let _running = match &use_of_key {
        None => None,
        Some(use_of_key) => match stripe.begin(use_of_key)? {
            Ok(running) => Some(running),
            Err(first) => return Ok(first),
        },
    };
    if endpoint_is_slow(stripe, path, &call) {
        tokio::time::sleep(stripe.options.slow_payment).await;
    }
    stripe.transact(cause, |transaction| {
        let mut result = if matches!(fault, Some(Fault::Error500)) {
            Err(Error::internal(INJECTED))
        } else if matches!(fault, Some(Fault::Error400)) {
            Err(Error::refused("Insufficient funds in your Stripe balance.")
                .code("balance_insufficient"))
        } else {
            endpoint(transaction, &mut call)
        };
        if let Ok(object) = &mut result
            && let Err(error) = expand::expand(transaction, object, &paths)
        {
            result = Err(error);
        }
        if matches!(fault, Some(Fault::Error500AfterActing)) {
            result = Err(Error::internal(INJECTED));
        }
        let answer = Answer::of(&result);
        // Only what was executed is kept: a call that failed validation may be mended and sent with
        // the same key.
        if let Some(use_of_key) = use_of_key
            && result.as_ref().map_or_else(|error| error.executed, |_| true)
        {
            let reply = use_of_key.reply(&answer, transaction);
            transaction.put(reply);
        }
        answer
    })
}

const INJECTED: &str = "An unknown error occurred (a fault asked for at /_local/faults)";

/// Whether this is a payment with `pm_card_slow`.
fn endpoint_is_slow(stripe: &Stripe, path: &str, call: &Call) -> bool {
    let slow = |outcome: Outcome| matches!(outcome, Outcome::SucceedsSlowly);
    let paying = path.ends_with("/confirm") || call.params.peek("confirm") == Some("true");
    let named = call.params.peek("payment_method").and_then(by_name);
    let attached = || {
        stripe
            .store()
            .intents
            .get(&call.id)
            .and_then(|intent| intent.payment_method.as_ref().map(|method| method.test()))
    };
    paying && named.or_else(attached).is_some_and(|test| slow(test.outcome))
}

fn form<'b>(headers: &HeaderMap, body: &'b Bytes) -> Result<&'b [u8], Error> {
    let is_form = text(headers, CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !body.is_empty() && !is_form {
        let message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at \
                       https://support.stripe.com/.";
        let mut error = Error::refused(message);
        error.executed = false;
        return Err(error);
    }
    Ok(body)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn too_many_requests() -> Error {
    let mut error = Error::refused(
        "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.",
    )
    .code("rate_limit");
    error.status = 429;
    error.executed = false;
    error
}
