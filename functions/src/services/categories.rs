//! `GET /services/categories`: the categories of the catalogue, each with its number of services.

use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::text::Category;
use shared::error::Result;
use shared::store::CategoryCount;

use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Database;

const ENDPOINT: Endpoint = Endpoint::get("/services/categories", Who::Anyone);

/// A category with its number of active services.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CategoryCount")]
struct CategoryView {
    /// The name, as last written.
    category: Category,
    /// How many active services it has.
    count: u64,
}

/// Returns `[{category, count}]`, sorted by name. The counts are exact: each changes in the same
/// transaction as the service that it counts.
///
/// # Errors
/// 503 when the database does not answer.
pub async fn handle(context: &Database, _: Request) -> Result<Reply> {
    let categories = context.store.categories().await?;
    let view = |CategoryCount { category, count }| CategoryView { category, count };
    Reply::ok(&categories.into_iter().map(view).collect::<Vec<_>>())?.cacheable_if_revalidated()
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List categories")
        .details(
            "Returns each category with the number of its active services. Categories that differ \
             only in letter case or spacing are one category.",
        )
        .answer(Answer::ok::<Vec<CategoryView>>("All categories, sorted by name."))
}
