//! `GET /live/feed`: a feed's entries after a number: the same that its sockets get.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::feed::Feed;
use shared::error::{Error, Invalid, Result, catalogue};
use shared::store::Entry;

use crate::context::Context;
use crate::http::{Reply, Request, active, bearer, text};

/// Entries of one answer, unless the request says otherwise, and at most.
const LIMIT: usize = 100;

#[derive(Serialize)]
struct Entries {
    items: Vec<Entry>,
    /// The number of the feed's last entry: there is more while it is above that of the last item.
    last: u64,
}

/// Up to 100 entries of `?feed=` after number `?after=` (0 unless given).
///
/// # Errors
/// 403 for a feed that is not the caller's to read, 422 for wrong or unknown parameters.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let mut query = request.query(&["feed", "after", "limit"])?;
    let feed = query.required("feed", text(Feed::parse));
    let after = query.optional("after", text(|n| number(n, 0, u64::MAX)));
    let limit = query.optional("limit", text(|n| number(n, 1, LIMIT as u64)));
    let (feed, after, limit) = query.finish((feed, after, limit))?;
    let standing = context.store.standing(&claims.sub, &claims.sid).await?;
    active(&claims, &standing, Timestamp::now())?;
    if !standing.account.is_some_and(|account| feed.may_be_read_by(&account.user)) {
        return Err(Error::new(&catalogue::FORBIDDEN, "This feed is not for you to read."));
    }
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LIMIT);
    let items = context.store.feed_after(&feed, after.unwrap_or(0), limit).await?;
    // Read after the entries, so that it is not behind them.
    let heads = context.store.feed_heads(std::slice::from_ref(&feed)).await?;
    Reply::ok(&Entries { items, last: heads.get(&feed).copied().unwrap_or_default() })
}

fn number(text: &str, min: u64, max: u64) -> std::result::Result<u64, Invalid> {
    let number = text.parse().ok().filter(|n| (min..=max).contains(n));
    number.ok_or_else(|| Invalid::new("out_of_range", format!("Must be a whole number from {min} to {max}.")))
}
