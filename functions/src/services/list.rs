//! `GET /services`: the active services, newest first.

use shared::domain::text::CategoryKey;
use shared::error::Result;

use super::ServiceView;
use crate::context::Catalogue;
use crate::http::{Reply, Request, page, text};

/// One page of services, of one category if `?category=` names one.
///
/// # Errors
/// 422 for wrong or unknown parameters, 400 for a cursor of another list.
pub async fn handle(context: &Catalogue, request: Request) -> Result<Reply> {
    let mut query = request.query(&["category", "limit", "cursor"])?;
    let category = query.optional("category", text(CategoryKey::parse));
    let page = page::asked(&mut query);
    let (category, page) = query.finish((category, page))?;
    let listed = context.store.services(category.as_ref(), &page, &context.cursors).await?;
    page::reply(
        &request,
        listed.items.iter().map(|stored| ServiceView::from(&stored.service)).collect(),
        listed.next_cursor,
    )
}
