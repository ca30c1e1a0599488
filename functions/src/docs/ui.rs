//! `GET /docs`: a page to read the API description, sign in and call the API.

use shared::error::Result;

use super::page;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Nothing;

const ENDPOINT: Endpoint = Endpoint::get("/docs", Who::Anyone);

/// Scripts are files of their own, so that the page's policy can refuse inline scripts.
const HTML: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Marketplace API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<style>
#sign-in { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center;
  position: sticky; top: 0; z-index: 1; padding: .75rem 1.25rem;
  background: #fff; border-bottom: 1px solid #d8dde7; font: .9rem/1.5 system-ui, sans-serif }
#sign-in input, #sign-in button { font: inherit; padding: .25rem .6rem }
#sign-in input { width: 11rem; margin-left: .4rem }
/* The form above replaces Swagger UI's own dialog. */
.swagger-ui .scheme-container, .swagger-ui .authorization__btn { display: none }
.swagger-ui .info { margin: 1.5rem 0 }
</style>
</head>
<body>
<form id="sign-in">
<label>Username <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
<output>Not signed in.</output>
</form>
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
                .with_header("Cache-Control")
                .with_header("Content-Security-Policy"),
        )
        .if_none_match()
}
