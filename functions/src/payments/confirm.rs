//! `POST /orders/{id}/payment/confirm`: re-reads the payment intent from Stripe instead of waiting
//! for the webhook. The client's claim that it has paid is not trusted.

use serde_json::json;
use shared::domain::ids::OrderId;
use shared::domain::order::TransitionError;
use shared::domain::user::Role;
use shared::error::{Error, Result, catalogue};

use super::service::intent_is_missing;
use super::{PaymentChanges, SyncOutcome};
use crate::http::{Empty, Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::orders::{OrderView, read};

const ENDPOINT: Endpoint =
    Endpoint::post("/orders/{id}/payment/confirm", Who::OrderParty(&[Role::Client]));

/// Applies the payment's state at Stripe to the order, and returns the order.
///
/// # Errors
/// 404 for an order that the caller may not see; 403 unless the caller is its client; 409 before
/// the payment was created; 503 when Stripe does not answer.
pub async fn handle(context: &PaymentChanges, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    request.body_as::<Empty>()?;
    let (caller, order) = read::with_caller(&context.payments.store, &claims, &id).await?;
    order.check_payable(&caller)?;
    let Some(intent) = order.payment_intent.clone() else {
        let detail = "The order has no payment yet. Create it with POST /orders/{id}/payment.";
        return Err(
            Error::new(&catalogue::NO_PAYMENT_YET, detail).with_member("version", order.version)
        );
    };
    match context.payments.sync_order(order, &intent, false).await? {
        SyncOutcome::Applied(order) | SyncOutcome::Unchanged(order) => {
            OrderView::reply(&order, &caller, false)
        }
        SyncOutcome::Mismatch(id, mismatch) => {
            context.payments.record_mismatch(&id, &intent, mismatch).await?;
            Err(TransitionError::Mismatch(mismatch).into())
        }
        other => Err(intent_is_missing(&intent, &other)),
    }
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Check the payment now")
        .details(
            "Queries Stripe for the state of the payment, instead of waiting for the webhook. Call it \
             after Stripe.js has confirmed the payment.",
        )
        .id::<OrderId>()
        .body::<Empty>(json!({}))
        .answer(Answer::ok::<OrderView<'_>>("The order with the payment's current state.").etag())
        .problems(&[
            &catalogue::NO_PAYMENT_YET,
            &catalogue::ORDER_NOT_PAYABLE,
            &catalogue::VERSION_CONFLICT,
            &catalogue::PAYMENT_MISMATCH,
            &catalogue::PAYMENTS_UNAVAILABLE,
        ])
}
