//! `POST /orders/{id}/payment`: what the order's client needs to pay. Always the same payment intent for one order.

use jiff::Timestamp;
use serde_json::json;
use shared::config::Secret;
use shared::domain::ids::OrderId;
use shared::domain::order::By;
use shared::error::Result;

use super::Checkout;
use crate::http::{Reply, Request, bearer, idempotency};
use crate::orders::read;

/// `{payment_intent_id, client_secret, publishable_key, amount, currency, status}`; `status` is Stripe's.
///
/// # Errors
/// 404 for an order that the caller may not know of, 403 for another's, 409 for one that was called off before it had an intent, 503 when
/// Stripe does not answer: to be tried again.
pub async fn handle(context: &Checkout, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    request.fields()?.finish(())?;
    let key = idempotency(&request, &claims.sub, "payments-create")?;
    let (caller, order) = read::with_caller(&context.cashier.store, &claims, &id).await?;
    order.check_payable(&caller)?;
    let replayed = match &key {
        Some(key) => order.replay(key)?.is_some(),
        None => false,
    };
    let price = order.price;
    let intent = context.cashier.intent_of(order, &By::user(&caller, Timestamp::now()).idempotency(key)).await?;
    tracing::info!(order = %id, intent = %intent.id, "{id} is to be paid by {}", intent.id);
    Reply::ok(&json!({
        "payment_intent_id": intent.id.as_str(),
        "client_secret": intent.client_secret.as_ref().map(Secret::expose),
        "publishable_key": context.publishable_key.0,
        "amount": price.amount(),
        "currency": price.currency(),
        "status": intent.status.as_str(),
    }))?
    .replayed(replayed)
}
