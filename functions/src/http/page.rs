//! Lists: `?limit=`, `?cursor=`, `{"items", "next_cursor"}` and `Link`.

use serde::Serialize;
use shared::error::{Invalid, Result};
use shared::store::PageRequest;

use super::{Fields, Reply, Request, text};

/// Items on a page unless the request says otherwise.
const DEFAULT: usize = 20;
/// Items on a page at most.
const MAX: usize = 100;

/// The page that a request asks for; `None` in the tuple of fields when its parameters are wrong.
pub fn asked(fields: &mut Fields) -> Option<PageRequest> {
    let limit = fields.optional("limit", text(limit))?;
    let cursor = fields.optional("cursor", text(|c| Ok(c.to_owned())))?;
    Some(PageRequest { limit: limit.unwrap_or(DEFAULT), cursor })
}

fn limit(text: &str) -> std::result::Result<usize, Invalid> {
    text.parse()
        .ok()
        .filter(|n| (1..=MAX).contains(n))
        .ok_or_else(|| Invalid::new("out_of_range", "Must be a number from 1 to 100."))
}

#[derive(Serialize)]
struct List<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// The answer to a list request. `Link` repeats the request's own query with the next cursor.
pub fn reply<T: Serialize>(request: &Request, items: Vec<T>, next_cursor: Option<String>) -> Result<Reply> {
    let link = next_cursor.as_ref().map(|cursor| format!("{}?{}", request.path(), next_query(request, cursor)));
    let reply = Reply::ok(&List { items, next_cursor })?;
    match link {
        Some(link) => reply.next_page(&link),
        None => Ok(reply),
    }
}

/// The event's parameters come in no order; the link's do.
fn next_query(request: &Request, cursor: &str) -> String {
    let mut kept: Vec<_> = request.query_pairs().filter(|(name, _)| *name != "cursor").collect();
    kept.sort_unstable();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("cursor", cursor).finish()
}
