//! `GET /docs/{file}`: the files of the page `GET /docs`. Swagger UI comes from a crate (see
//! `build.rs`); nothing is loaded from elsewhere.

use schemars::JsonSchema;
use shared::error::{Error, Result, catalogue};

use super::MAX_AGE_SECONDS;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Nothing;

const ENDPOINT: Endpoint = Endpoint::get("/docs/{file}", Who::Anyone);

/// Name, media type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("start.js", "text/javascript; charset=utf-8", include_str!("start.js")),
    (
        "swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
        include_str!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js")),
    ),
    (
        "swagger-ui.css",
        "text/css; charset=utf-8",
        include_str!(concat!(env!("OUT_DIR"), "/swagger-ui.css")),
    ),
];

/// Returns one file.
///
/// # Errors
/// 404 for any other name.
pub async fn handle(_: &Nothing, request: Request) -> Result<Reply> {
    let name = request.path_parameter("file");
    let file = FILES.iter().find(|(known, ..)| Some(*known) == name);
    let (_, media_type, text) = file.ok_or_else(|| Error::not_found("file"))?;
    Reply::text(media_type, text)?.cacheable_for(MAX_AGE_SECONDS)
}

/// The name of a file.
#[derive(JsonSchema)]
#[schemars(inline, extend("enum" = FILES.iter().map(|(name, ..)| *name).collect::<Vec<_>>()))]
struct FileName(#[expect(dead_code, reason = "describes what is read")] String);

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Get a file of the documentation page")
        .without_database()
        .path_parameter::<FileName>("file", "The name of the file.")
        .answer(
            Answer::content("text/javascript; charset=utf-8", "The file.")
                .or_content("text/css; charset=utf-8")
                .etag()
                .with_header("Cache-Control"),
        )
        .if_none_match()
        .problems(&[&catalogue::NOT_FOUND])
}
