//! `GET /services/categories`: the categories that there are services in, with how many.

use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::text::Category;
use shared::error::Result;
use shared::store::CategoryCount;

use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Data;

const ENDPOINT: Endpoint = Endpoint::get("/services/categories", Who::Anyone);

/// A category, and how many active services it has.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CategoryCount")]
struct CategoryView {
    /// As it was last written.
    category: Category,
    count: u64,
}

/// `[{category, count}]` of active services, by name. Counts are exact: each changes in the
/// transaction of the service that it counts.
pub async fn handle(context: &Data, _: Request) -> Result<Reply> {
    let categories = context.store.categories().await?;
    let view = |CategoryCount { category, count }| CategoryView { category, count };
    Reply::ok(&categories.into_iter().map(view).collect::<Vec<_>>())?.revalidated()
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "The categories that there are services in")
        .details(
            "Counts are of active services, and exact. Letter case and spacing make no difference between categories.",
        )
        .answer(Answer::ok::<Vec<CategoryView>>("All of them, by name."))
}
