//! `POST /webhooks/stripe`: receives an event from Stripe, verifies its signature and stores it.
//! Applying it is a second step (`payments-apply`), so that this response depends on nothing but
//! the signature and the database.

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

/// An event, whatever Stripe sends.
type Event = serde_json::Map<String, Value>;

/// The acknowledgement that the event is stored.
#[derive(Serialize, JsonSchema)]
struct Stored {
    /// Always `true`.
    received: bool,
}

/// Returns 200 once the event is stored, now or earlier, whatever it contains.
///
/// # Errors
/// 400 unless the signature is Stripe's, recent, and of exactly this body; 413 for a body above 1
/// MiB; 503 when the database does not answer, after which Stripe retries.
pub async fn handle(context: &Webhook, request: Request) -> Result<Reply> {
    let body = request.body();
    let now = Timestamp::now();
    let signature = request.header(HeaderName::from_static("stripe-signature"));
    context.secrets.verify(signature, body, now).await?;
    let event = StripeEvent::received(body, now);
    let (id, kind) = (&event.id, &event.kind);
    match context.store.receive_event(&event).await? {
        WriteOutcome::Written => tracing::debug!(event = %id, kind, "event {id} is stored"),
        WriteOutcome::Conflict(_) => {
            tracing::debug!(event = %id, kind, "event {id} was already stored")
        }
    }
    Reply::ok(&Stored { received: true })
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Receive an event from Stripe")
        .details(
            "For Stripe, which signs the body. The response means that the event is stored. A \
             moment later it is applied to its order.",
        )
        .header::<String>(
            "Stripe-Signature",
            "Stripe's signature of the unmodified body, at most five minutes old.",
        )
        .body_of::<Event>(
            &["application/json"],
            true,
            json!({"id": "evt_1", "type": "payment_intent.succeeded"}),
        )
        .answer(Answer::ok::<Stored>("It is stored."))
        .problems(&[&catalogue::INVALID_SIGNATURE])
}
