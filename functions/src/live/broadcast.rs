//! `POST /live/broadcasts`: an administrator sends a message to all users with a role.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::domain::feed::Feed;
use shared::domain::ids::BroadcastId;
use shared::domain::schema::DateTime;
use shared::domain::text::MessageText;
use shared::domain::user::Role;
use shared::error::{Error, Result};
use shared::store::{Broadcast, RateLimit, WriteOutcome};
use uuid::Uuid;

use crate::http::{Endpoint, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::post("/live/broadcasts", Who::Admin);

/// How many broadcasts an administrator may send per minute.
const LIMIT: RateLimit = RateLimit { name: "broadcasts", max: 10, window_seconds: 60 };

/// An accepted broadcast.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Broadcast")]
struct Accepted<'a> {
    id: &'a BroadcastId,
    /// The feed that it appears in.
    feed: Feed,
    text: &'a MessageText,
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
}

body! {
    /// A new broadcast.
    struct Body {
        /// The role that receives it.
        role: Role,
        text: MessageText,
    }
}

/// Accepts a broadcast. A moment later it is in the role's feed and is pushed to the role's
/// sockets.
///
/// # Errors
/// 403 unless the caller is an administrator; 422 naming every wrong field; 429 after too many
/// broadcasts.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { role, text } = request.body_as()?;
    let key = request.idempotency(&ENDPOINT, &claims.sub)?;
    let now = Timestamp::now();

    let state = context.store.auth_state(&claims.sub, &claims.sid).await?;
    let caller = current_caller(&claims, &state, now)?;
    context.store.count_attempt(&LIMIT, caller.id.as_str(), now).await?;
    let id =
        BroadcastId::for_request(key.as_ref().map(|idempotency| &idempotency.key), Uuid::now_v7());
    let broadcast = Broadcast { id, role, text, by: caller.id, created_at: now, created_by: key };
    match context.store.create_broadcast(&broadcast).await? {
        WriteOutcome::Written => {
            tracing::info!(by = %broadcast.by, broadcast = %broadcast.id, "broadcast {}", broadcast.id);
            reply(&broadcast, false)
        }
        WriteOutcome::Conflict(Some(before)) if before.created_by == broadcast.created_by => {
            reply(&before, true)
        }
        WriteOutcome::Conflict(_) => Err(Error::idempotency_key_reused()),
    }
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Broadcast to all users with a role")
        .details(
            "A moment later the broadcast is in the feed of the role and on the sockets of its \
             users.",
        )
        .body::<Body>(json!({"role": "worker", "text": "Maintenance tonight at ten."}))
        .answer(Answer::accepted::<Accepted<'_>>("The accepted broadcast."))
        .idempotent()
        .rate_limited()
}

fn reply(broadcast: &Broadcast, replayed: bool) -> Result<Reply> {
    let Broadcast { id, role, text, created_at, .. } = broadcast;
    Reply::accepted(&Accepted { id, feed: Feed::Role(*role), text, created_at: *created_at })?
        .idempotent_replayed(replayed)
}
