//! `POST /live/broadcasts`: an administrator says something to everyone of a role.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::feed::Feed;
use shared::domain::ids::BroadcastId;
use shared::domain::text::MessageText;
use shared::domain::user::Role;
use shared::error::{Error, Result};
use shared::store::{Broadcast, Limit, Outcome};
use uuid::Uuid;

use crate::context::Context;
use crate::http::{Reply, Request, active, bearer, idempotency, json, only, text};

/// What an administrator may broadcast in a minute.
const LIMIT: Limit = Limit { name: "broadcasts", most: 10, seconds: 60 };

#[derive(Serialize)]
struct Accepted<'a> {
    id: &'a BroadcastId,
    feed: Feed,
    text: &'a MessageText,
    created_at: Timestamp,
}

/// Accepts a broadcast: it is in the role's feed, and on its way to the role's sockets, a moment later.
///
/// # Errors
/// 403 for all but administrators, 422 naming every wrong field, 429 for too many.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    only(&claims, Role::Admin)?;
    let mut body = request.fields()?;
    let role = body.required("role", json("Must be `client`, `worker` or `admin`."));
    let text = body.required("text", text(MessageText::parse));
    let (role, text) = body.finish((role, text))?;
    let key = idempotency(&request, &claims.sub, "live-broadcast")?;
    let now = Timestamp::now();

    let standing = context.store.standing(&claims.sub, &claims.sid).await?;
    let caller = active(&claims, &standing, now)?;
    context.store.count(&LIMIT, caller.id.as_str(), now).await?;
    let id = BroadcastId::for_request(key.as_ref().map(|made| &made.key), Uuid::now_v7());
    let broadcast = Broadcast { id, role, text, by: caller.id, created_at: now, created_by: key };
    match context.store.broadcast(&broadcast).await? {
        Outcome::Written => {
            tracing::info!(by = %broadcast.by, broadcast = %broadcast.id, "broadcast {}", broadcast.id);
            reply(&broadcast, false)
        }
        Outcome::Conflict(Some(before)) if before.created_by == broadcast.created_by => reply(&before, true),
        Outcome::Conflict(_) => Err(Error::key_reused()),
    }
}

fn reply(broadcast: &Broadcast, replayed: bool) -> Result<Reply> {
    let Broadcast { id, role, text, created_at, .. } = broadcast;
    Reply::accepted(&Accepted { id, feed: Feed::Role(*role), text, created_at: *created_at })?.replayed(replayed)
}
