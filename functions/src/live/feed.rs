//! `GET /live/feed`: a feed's entries after a number, the same ones that sockets receive.

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

/// The default and the most entries in one response.
const LIMIT: usize = 100;

/// A range of a feed's entries.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FeedEntries")]
struct Entries {
    /// The entries, oldest first.
    items: Vec<Entry>,
    /// Ranges of numbers after `after` whose entries are older than 30 days and no longer stored.
    missed: Vec<Missed>,
    /// The number of the feed's last entry. If it is higher than the `seq` of the last item, there
    /// are more entries to read.
    last: u64,
}

body! {
    /// The entries to return.
    struct Query {
        /// The feed to read. You can read your own (`user:` and your id), that of your role, and as
        /// a worker those of your categories (`workers:*` if you have none).
        feed: Feed,
        /// Return the entries after this number. Default: 0.
        after: Option<Number<0, { u64::MAX }>>,
        /// The most entries to return, 1 to 100. Default: 100.
        limit: Option<Number<1, { LIMIT as u64 }>>,
    }
}

/// Returns up to 100 entries of the feed.
///
/// # Errors
/// 403 for a feed that the caller may not read; 422 for wrong or unknown parameters.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { feed, after, limit } = request.query_as()?;
    // The last number is read before the entries, so every entry up to it is stored by then, or has
    // expired.
    let (state, last) =
        context.store.auth_state_and_feed_head(&claims.sub, &claims.sid, &feed).await?;
    let now = Timestamp::now();
    current_caller(&claims, &state, now)?;
    if !state.account.is_some_and(|account| feed.may_be_read_by(&account.user)) {
        return Err(Error::new(&catalogue::FORBIDDEN, "You may not read this feed."));
    }
    let limit = limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(LIMIT);
    let page =
        context.store.feed_after(&feed, after.map_or(0, |after| after.0), last, limit, now).await?;
    let last = page.items.last().map_or(last, |entry| entry.seq.max(last));
    Reply::ok(&Entries { items: page.items, missed: page.missed, last })
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Read a feed")
        .details(
            "Returns the same entries that sockets receive. To miss nothing, pass the number of \
             the last entry that you received as `after`.",
        )
        .query::<Query>()
        .answer(Answer::ok::<Entries>("The entries, oldest first."))
        .problems(&[&catalogue::FORBIDDEN])
}
