//! `POST /orders/{id}/payment`: creates the order's payment intent, and returns what the client
//! needs to pay it. An order has one intent, so repeated calls return the same.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::config::Secret;
use shared::domain::ids::OrderId;
use shared::domain::money::Currency;
use shared::domain::order::ActorContext;
use shared::domain::user::Role;
use shared::error::{Result, catalogue};

use super::Checkout;
use crate::http::{Empty, Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::orders::read;

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/payment", Who::OrderParty(&[Role::Client]));

/// What a browser needs to pay with Stripe.js.
#[derive(Serialize, JsonSchema)]
struct CheckoutDetails<'a> {
    /// The id of the payment intent at Stripe.
    payment_intent_id: &'a str,
    /// For Stripe.js. Only the client's browser may know it. `null` if Stripe does not return it.
    client_secret: Option<&'a str>,
    /// The marketplace's public key at Stripe, for Stripe.js.
    publishable_key: &'a str,
    /// What the client pays, in minor units.
    amount: i64,
    /// The currency of `amount`.
    currency: Currency,
    /// The status of the payment intent, as Stripe names it.
    status: &'a str,
}

/// Creates the payment intent, or returns the one that exists.
///
/// # Errors
/// 404 for an order that the caller may not see; 403 unless the caller is its client; 409 when the
/// order was canceled before it had an intent; 503 when Stripe does not answer, for the client to
/// retry.
pub async fn handle(context: &Checkout, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    request.body_as::<Empty>()?;
    let key = request.idempotency(&ENDPOINT, &claims.sub)?;
    let (caller, order) = read::with_caller(&context.payments.store, &claims, &id).await?;
    order.check_payable(&caller)?;
    let replayed = match &key {
        Some(key) => order.replay(key)?.is_some(),
        None => false,
    };
    let price = order.price;
    let intent = context
        .payments
        .ensure_intent(order, &ActorContext::user(&caller, Timestamp::now()).idempotency(key))
        .await?;
    tracing::debug!(order = %id, intent = %intent.id, "the payment intent of {id} is {}", intent.id);
    Reply::ok(&CheckoutDetails {
        payment_intent_id: intent.id.as_str(),
        client_secret: intent.client_secret.as_ref().map(Secret::expose),
        publishable_key: &context.publishable_key.0,
        amount: price.amount(),
        currency: price.currency(),
        status: intent.status.as_str(),
    })?
    .idempotent_replayed(replayed)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Create an order's payment")
        .details(
            "Creates the order's payment intent at Stripe. An order has only one, so repeated \
             calls return the same. To pay, pass `publishable_key` and `client_secret` to \
             Stripe.js.",
        )
        .id::<OrderId>()
        .body::<Empty>(json!({}))
        .answer(Answer::ok::<CheckoutDetails<'_>>("What the browser passes to Stripe.js."))
        .idempotent()
        .problems(&[
            &catalogue::ORDER_NOT_PAYABLE,
            &catalogue::VERSION_CONFLICT,
            &catalogue::PAYMENT_MISMATCH,
            &catalogue::PAYMENTS_UNAVAILABLE,
        ])
}
