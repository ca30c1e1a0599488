//! `GET /openapi.json`: the API description, OpenAPI 3.1.

use schemars::JsonSchema;
use shared::error::Result;

use super::MAX_AGE_SECONDS;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::context;

const ENDPOINT: Endpoint = Endpoint::get("/openapi.json", Who::Anyone);

context! {
    /// For serving the description.
    OpenApi {
        /// The description of every endpoint.
        description: Description,
    }
}

/// The API description as JSON. It is built once per sandbox, from the list of all functions.
pub struct Description(pub String);

/// Returns the document.
///
/// # Errors
/// None of its own.
pub async fn handle(context: &OpenApi, _: Request) -> Result<Reply> {
    Reply::text("application/json", &context.description.0)?.cacheable_for(MAX_AGE_SECONDS)
}

/// An OpenAPI document.
#[derive(JsonSchema)]
#[schemars(inline, extend("required" = ["openapi", "info", "paths", "components"]))]
struct Document(
    #[expect(dead_code, reason = "describes what is served")]
    serde_json::Map<String, serde_json::Value>,
);

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Get the API description (OpenAPI)")
        .without_database()
        .answer(Answer::ok::<Document>("OpenAPI 3.1.").etag().with_header("Cache-Control"))
        .if_none_match()
}
