//! `POST /webhooks/stripe`: receives an event from Stripe, verifies its signature and stores it.
//! `payments-apply` applies it later, so that this response depends only on the signature and the
//! database.

use http::HeaderName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use shared::error::{Result, catalogue};
use shared::metrics::WEBHOOKS;
use shared::payments::webhook_event::WebhookEvent;
use shared::store::{StripeEvent, WriteOutcome};
use tracing::field::display;

use super::Webhook;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::post("/webhooks/stripe", Who::Anyone);

/// An event: any JSON object that Stripe sends.
type Event = serde_json::Map<String, Value>;

/// The acknowledgement that the event is stored.
#[derive(Serialize, JsonSchema)]
struct Stored {
    /// Always `true`.
    received: bool,
}

/// Returns 200 once the event is stored, by this request or an earlier one, whatever it contains.
///
/// # Errors
/// 400 unless the signature is Stripe's, recent, and of exactly this body; 413 for a body above 1
/// MiB; 503 when the database does not answer, after which Stripe retries.
pub async fn handle(context: &Webhook, request: Request) -> Result<Reply> {
    let body = request.body();
    let now = Timestamp::now();
    let signature = request.header(HeaderName::from_static("stripe-signature"));
    let verified = context.secrets.verify(signature, body, now).await;
    verified.inspect_err(|_| WEBHOOKS.add("refused", 1))?;
    let event = StripeEvent::received(body, now);
    let (id, kind) = (&event.id, &event.kind);
    if let Some(order) = WebhookEvent::parse(event.payload.as_bytes()).order {
        tracing::Span::current().record("order", display(&order));
    }
    match context.store.receive_event(&event).await? {
        WriteOutcome::Written => {
            WEBHOOKS.add("stored", 1);
            tracing::debug!(event = %id, kind, "event {id} is stored");
        }
        WriteOutcome::Conflict(_) => {
            WEBHOOKS.add("repeated", 1);
            tracing::debug!(event = %id, kind, "event {id} was already stored");
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
        .answer(Answer::ok::<Stored>("The event is stored."))
        .problems(&[&catalogue::INVALID_SIGNATURE])
}
