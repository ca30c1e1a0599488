//! `GET /live/feed`: a feed's entries after a number: the same that its sockets get.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::feed::Feed;
use shared::error::{Error, Result, catalogue};
use shared::store::{Entry, Missed};

use crate::http::{Endpoint, Number, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/live/feed", Who::User);

/// Entries of one answer, unless the request says otherwise, and at most.
const LIMIT: usize = 100;

/// A piece of a feed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FeedEntries")]
struct Entries {
    items: Vec<Entry>,
    /// Numbers after `after` whose entries are older than 30 days, and no longer kept: `[{from,
    /// to}]`.
    missed: Vec<Missed>,
    /// The number of the feed's last entry: there is more while it is above that of the last item.
    last: u64,
}

body! {
    /// Which entries.
    struct Query {
        feed: Feed,
        /// The number after which to begin; 0 unless given.
        after: Option<Number<0, { u64::MAX }>>,
        /// 100 unless given.
        limit: Option<Number<1, { LIMIT as u64 }>>,
    }
}

/// Up to 100 entries of `?feed=` after number `?after=` (0 unless given).
///
/// # Errors
/// 403 for a feed that is not the caller's to read, 422 for wrong or unknown parameters.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { feed, after, limit } = request.query_as()?;
    // The last number is read before the entries: what has a number by then is there, or is gone.
    let (state, last) =
        context.store.auth_state_and_feed_head(&claims.sub, &claims.sid, &feed).await?;
    let now = Timestamp::now();
    current_caller(&claims, &state, now)?;
    if !state.account.is_some_and(|account| feed.may_be_read_by(&account.user)) {
        return Err(Error::new(&catalogue::FORBIDDEN, "This feed is not for you to read."));
    }
    let limit = limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(LIMIT);
    let page =
        context.store.feed_after(&feed, after.map_or(0, |after| after.0), last, limit, now).await?;
    let last = page.items.last().map_or(last, |entry| entry.seq.max(last));
    Reply::ok(&Entries { items: page.items, missed: page.missed, last })
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "A feed's entries after a number")
        .details(
            "The same that sockets get: who comes back with the last number it saw misses nothing.",
        )
        .query::<Query>()
        .answer(Answer::ok::<Entries>("Entries, oldest first."))
        .problems(&[&catalogue::FORBIDDEN])
}
