//! `POST /orders/{id}/payment/confirm`: the client says that the payment is made. Nobody believes
//! that; it makes us ask Stripe, now, instead of waiting for its webhook.

use serde_json::json;
use shared::domain::ids::OrderId;
use shared::domain::order::TransitionError;
use shared::error::{Error, Result, catalogue};

use super::service::intent_is_missing;
use super::{Paying, SyncOutcome};
use crate::http::{Empty, Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::orders::{OrderView, read};

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/payment/confirm", Who::OrderClient);

/// The order, after what Stripe says now.
///
/// # Errors
/// 404 and 403 as for every order that is not the caller's, 409 before the payment was asked for,
/// 503 when Stripe does not answer.
pub async fn handle(context: &Paying, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    request.body_as::<Empty>()?;
    let (caller, order) = read::with_caller(&context.payments.store, &claims, &id).await?;
    order.check_payable(&caller)?;
    let Some(intent) = order.payment_intent.clone() else {
        let detail = "The order has no payment yet. POST /orders/{id}/payment makes it.";
        return Err(Error::new(&catalogue::NO_PAYMENT_YET, detail).with("version", order.version));
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
    Operation::new(&ENDPOINT, "Say that the payment is made")
        .details("Nobody believes that; Stripe is asked, now, instead of its webhook waited for.")
        .id::<OrderId>()
        .body::<Empty>(json!({}))
        .answer(Answer::ok::<OrderView<'_>>("The order, after what Stripe says now.").etag())
        .problems(&[
            &catalogue::NO_PAYMENT_YET,
            &catalogue::ORDER_NOT_PAYABLE,
            &catalogue::VERSION_CONFLICT,
            &catalogue::PAYMENT_MISMATCH,
            &catalogue::PAYMENTS_UNAVAILABLE,
        ])
}
