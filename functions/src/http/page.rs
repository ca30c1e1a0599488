//! Pages of lists: `?limit=` and `?cursor=` in, `{"items", "next_cursor"}` and `Link` out.

use schemars::JsonSchema;
use serde::Serialize;
use shared::error::Result;
use shared::store::PageRequest;

use super::{FieldErrors, FieldValue, Number, Reply, Request, text};

/// Items on a page by default.
const DEFAULT_LIMIT: usize = 20;
/// The most items on a page.
const MAX_LIMIT: usize = 100;

/// The most items to return, 1 to 100. Default: 20.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(
    inline,
    extend("type" = "integer", "minimum" = 1, "maximum" = MAX_LIMIT, "default" = DEFAULT_LIMIT)
)]
pub struct Limit(usize);

impl FieldValue for Limit {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        let Number(limit) = Number::<1, { MAX_LIMIT as u64 }>::read(name, value)?;
        Ok(Self(usize::try_from(limit).unwrap_or(MAX_LIMIT)))
    }
}

/// Where to continue: the `next_cursor` of the previous page. Default: the first page.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(inline)]
pub struct Cursor(String);

impl FieldValue for Cursor {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        text(|cursor| Ok(cursor.to_owned()))(name, value).map(Self)
    }
}

/// The page that these parameters request.
pub fn page_request(limit: Option<Limit>, cursor: Option<Cursor>) -> PageRequest {
    PageRequest {
        limit: limit.map_or(DEFAULT_LIMIT, |limit| limit.0),
        cursor: cursor.map(|cursor| cursor.0),
    }
}

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct List<T> {
    /// The items of this page.
    items: Vec<T>,
    /// The `cursor` of the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// The response with a page of a list. `Link` repeats the request's query with the next cursor.
///
/// # Errors
/// `internal` when the items can't be serialized.
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

/// The request's query with `cursor` replaced. The parameters are sorted, because the event has
/// them in no particular order.
fn next_query(request: &Request, cursor: &str) -> String {
    let mut kept: Vec<_> = request.query_pairs().filter(|(name, _)| *name != "cursor").collect();
    kept.sort_unstable();
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish()
}
