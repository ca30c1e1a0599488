//! `POST /orders/{id}/messages`: the order's client and worker write to each other.

use jiff::Timestamp;
use serde_json::json;
use shared::domain::ids::{MessageId, OrderId};
use shared::domain::text::MessageText;
use shared::domain::user::{Person, Role};
use shared::error::{Error, Result, catalogue};
use shared::store::{Message, RateLimit, WriteOutcome};
use uuid::Uuid;

use super::MessageView;
use crate::http::{Endpoint, Reply, Request, Who, body};
use crate::openapi::{Answer, Operation};
use crate::orders::read;
use crate::runtime::context::Context;

const ENDPOINT: Endpoint =
    Endpoint::post("/orders/{id}/messages", Who::OrderParty(&[Role::Client, Role::Worker]));

/// How many messages a user may send per minute, on all orders together.
const LIMIT: RateLimit = RateLimit { name: "messages", max: 30, window_seconds: 60 };

body! {
    /// A new message.
    struct Body {
        text: MessageText,
    }
}

/// Sends a message from the client to the worker, or from the worker to the client.
///
/// # Errors
/// 404 for an order that the caller may not see; 403 when the caller is neither its client nor its
/// worker; 409 while the order has no worker; 429 after too many messages.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let order: OrderId = request.path_id("order")?;
    let Body { text } = request.body_as()?;
    let key = request.idempotency(&ENDPOINT, &claims.sub)?;
    let now = Timestamp::now();

    let (caller, order) = read::with_caller(&context.store, &claims, &order).await?;
    let to = order.message_recipient(&caller)?.id.clone();
    context.store.count_attempt(&LIMIT, claims.sub.as_str(), now).await?;
    let id =
        MessageId::for_request(key.as_ref().map(|idempotency| &idempotency.key), Uuid::now_v7());
    let worker = if order.client.id == caller.id { to.clone() } else { caller.id.clone() };
    let from = Person::from(&caller);
    let message = Message {
        id,
        order_id: order.id,
        from,
        to,
        worker,
        text,
        created_at: now,
        created_by: key,
    };
    match context.store.send_message(&message).await? {
        WriteOutcome::Written => reply(&message, false),
        WriteOutcome::Conflict(Some(before)) if before.created_by == message.created_by => {
            reply(&before, true)
        }
        WriteOutcome::Conflict(_) => Err(Error::idempotency_key_reused()),
    }
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Send a message")
        .details("The client writes to the worker, and the worker to the client.")
        .id::<OrderId>()
        .body::<Body>(json!({"text": "When will it be ready?"}))
        .answer(Answer::created::<MessageView<'_>>("The message."))
        .idempotent()
        .rate_limited()
        .problems(&[&catalogue::FORBIDDEN, &catalogue::NO_WORKER_YET])
}

fn reply(message: &Message, replayed: bool) -> Result<Reply> {
    let location = format!("/orders/{}/messages", message.order_id);
    Reply::created(&location, &MessageView::from(message))?.idempotent_replayed(replayed)
}
