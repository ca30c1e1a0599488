//! `POST /webhooks/stripe`: Stripe says that something happened. The event is verified and stored;
//! what follows from it is a second step (`payments-apply`), so that nothing but the signature and
//! the database decides this answer.

use http::HeaderName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use shared::error::{Result, catalogue};
use shared::store::{StripeEvent, WriteOutcome};

use super::Webhook;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::post("/webhooks/stripe", Who::Anyone);

/// Whatever Stripe sends.
type Event = serde_json::Map<String, Value>;

/// That it is stored.
#[derive(Serialize, JsonSchema)]
struct Stored {
    /// Always true.
    received: bool,
}

/// Answers 200 once the event is stored, or was before, whatever is in it.
///
/// # Errors
/// 400 for any signature that is not Stripe's, fresh and of this very body; 413; 503, upon which
/// Stripe sends it again.
pub async fn handle(context: &Webhook, request: Request) -> Result<Reply> {
    let body = request.body();
    let now = Timestamp::now();
    context.secrets.verify(
        request.header(HeaderName::from_static("stripe-signature")),
        body,
        now,
    )?;
    let event = StripeEvent::received(body, now);
    let (id, kind) = (&event.id, &event.kind);
    match context.store.receive_event(&event).await? {
        WriteOutcome::Written => tracing::debug!(event = %id, kind, "event {id} is stored"),
        WriteOutcome::Conflict(_) => tracing::debug!(event = %id, kind, "event {id} came before"),
    }
    Reply::ok(&Stored { received: true })
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Stripe says that something happened")
        .details("Answers once the event is stored, or was before. What follows from it is a second step.")
        .header::<String>("Stripe-Signature", "Stripe's, fresh and of this very body.")
        .body_of::<Event>(&["application/json"], true, json!({"id": "evt_1", "type": "payment_intent.succeeded"}))
        .answer(Answer::ok::<Stored>("It is stored."))
        .problems(&[&catalogue::INVALID_SIGNATURE])
}
