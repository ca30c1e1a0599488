//! `GET /docs`: a page to read the API description, sign in and call the API.

use shared::error::Result;

use super::page;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Nothing;

const ENDPOINT: Endpoint = Endpoint::get("/docs", Who::Anyone);

/// Scripts are files of their own, so that the page's policy can refuse all that are not.
const HTML: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Marketplace API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

/// Returns the page.
///
/// # Errors
/// None in practice: its headers are constants.
pub async fn handle(_: &Nothing, _: Request) -> Result<Reply> {
    page(HTML)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Get the documentation page")
        .without_database()
        .answer(
            Answer::content("text/html; charset=utf-8", "Swagger UI.")
                .etag()
                .with("Cache-Control")
                .with("Content-Security-Policy"),
        )
        .if_none_match()
}
