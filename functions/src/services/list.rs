//! `GET /services`: the active services, newest first.

use shared::domain::text::CategoryKey;
use shared::error::Result;

use super::ServiceView;
use crate::context::Catalogue;
use crate::http::page::{Cursor, Limit};
use crate::http::{Reply, Request, body, page};
use crate::openapi::{Answer, Operation};

body! {
    /// Which services.
    struct Query {
        category: Option<CategoryKey>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// One page of services, of one category if `?category=` names one.
///
/// # Errors
/// 422 for wrong or unknown parameters, 400 for a cursor of another list.
pub async fn handle(context: &Catalogue, request: Request) -> Result<Reply> {
    let Query { category, limit, cursor } = request.query_as()?;
    let page = page::of(limit, cursor);
    let listed = context.store.services(category.as_ref(), &page, &context.cursors).await?;
    page::reply(
        &request,
        listed.items.iter().map(|stored| ServiceView::from(&stored.service)).collect(),
        listed.next_cursor,
    )
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/services", "services-list", "The active services, newest first")
        .query::<Query>()
        .answer(Answer::page::<ServiceView<'_>>("One page of services."))
}
