//! Lists: `?limit=`, `?cursor=`, `{"items", "next_cursor"}` and `Link`.

use schemars::JsonSchema;
use serde::Serialize;
use shared::error::Result;
use shared::store::PageRequest;

use super::{FieldErrors, FieldValue, Number, Reply, Request, text};

/// Items on a page unless the request says otherwise.
const DEFAULT: usize = 20;
/// Items on a page at most.
const MAX: usize = 100;

/// How many items a page is to have.
pub type Limit = Number<1, { MAX as u64 }>;

/// Where to go on: the `next_cursor` of the page before.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(inline)]
pub struct Cursor(String);

impl FieldValue for Cursor {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        text(|cursor| Ok(cursor.to_owned()))(name, value).map(Self)
    }
}

/// The page that these parameters ask for.
pub fn of(limit: Option<Limit>, cursor: Option<Cursor>) -> PageRequest {
    PageRequest {
        limit: limit.map_or(DEFAULT, |limit| usize::try_from(limit.0).unwrap_or(MAX)),
        cursor: cursor.map(|cursor| cursor.0),
    }
}

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct List<T> {
    items: Vec<T>,
    /// For the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// The answer to a list request. `Link` repeats the request's own query with the next cursor.
pub fn reply<T: Serialize>(
    request: &Request,
    items: Vec<T>,
    next_cursor: Option<String>,
) -> Result<Reply> {
    let link = next_cursor
        .as_ref()
        .map(|cursor| format!("{}?{}", request.path(), next_query(request, cursor)));
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
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish()
}
