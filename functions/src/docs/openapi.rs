//! `GET /openapi.json`: the API description, OpenAPI 3.1.

use std::sync::LazyLock;

use schemars::JsonSchema;
use shared::error::Result;

use super::CACHED;
use crate::context::Nothing;
use crate::http::{Reply, Request};
use crate::openapi::{Answer, Operation, document};

/// Made once a sandbox.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// The document.
pub async fn handle(_: &Nothing, _: Request) -> Result<Reply> {
    Reply::text("application/json", &DOCUMENT)?.cacheable(CACHED)
}

/// An OpenAPI document.
#[derive(JsonSchema)]
#[schemars(inline, extend("required" = ["openapi", "info", "paths", "components"]))]
struct Document(
    #[expect(dead_code, reason = "describes what is served")]
    serde_json::Map<String, serde_json::Value>,
);

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/openapi.json", "docs-openapi", "This description")
        .without_database()
        .answer(Answer::ok::<Document>("OpenAPI 3.1.").etag().with("Cache-Control"))
        .if_none_match()
}
