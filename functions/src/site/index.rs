//! `GET /`: links to the main endpoints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::error::Result;

use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Nothing;

const ENDPOINT: Endpoint = Endpoint::get("/", Who::Anyone);

/// How long caches may keep the index, which only changes with a deployment.
const MAX_AGE_SECONDS: u32 = 300;

/// The main endpoints.
#[derive(Serialize, JsonSchema)]
struct Index {
    /// Always `marketplace`.
    name: &'static str,
    /// The version of the deployed code.
    version: &'static str,
    /// Paths, by name.
    links: BTreeMap<&'static str, &'static str>,
}

/// Returns links to the API's collections.
///
/// # Errors
/// None in practice: the body is constant.
pub async fn handle(_: &Nothing, _: Request) -> Result<Reply> {
    let links = BTreeMap::from([
        ("docs", "/docs"),
        ("openapi", "/openapi.json"),
        ("health", "/health"),
        ("register", "/auth/register"),
        ("token", "/auth/token"),
        ("services", "/services"),
        ("orders", "/orders"),
        ("open_orders", "/orders/open"),
        ("live_tickets", "/live/tickets"),
        ("live_feed", "/live/feed"),
    ]);
    Reply::ok(&Index { name: "marketplace", version: env!("CARGO_PKG_VERSION"), links })?
        .cacheable_for(MAX_AGE_SECONDS)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List the main endpoints")
        .without_database()
        .answer(Answer::ok::<Index>("Links to the main endpoints.").with_header("Cache-Control"))
}
