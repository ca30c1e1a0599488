//! `GET /docs/problems/{code}`: explains an error code and what to do about it. The `type` of every
//! problem document links here.

use schemars::JsonSchema;
use shared::error::{Error, Result, catalogue};

use super::page;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Nothing;

const ENDPOINT: Endpoint = Endpoint::get("/docs/problems/{code}", Who::Anyone);

/// Returns the page of one error code.
///
/// # Errors
/// 404 for an unknown code.
pub async fn handle(_: &Nothing, request: Request) -> Result<Reply> {
    let name = request.path_parameter("code");
    let code = catalogue::ALL.iter().find(|code| Some(code.code) == name);
    let code = code.ok_or_else(|| Error::not_found("error code"))?;
    let (title, name, status, remedy) =
        (html(code.title), code.code, code.kind.status(), html(code.remedy));
    page(&format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>{title}</h1>
<p><code>{name}</code>, status {status}.</p>
<p>{remedy}</p>
<p><a href="/docs">API documentation</a></p>
</body>
</html>
"#
    ))
}

/// Converts text to HTML. Text between backticks becomes `<code>`.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts: Vec<_> = escaped.split('`').enumerate().collect();
    parts
        .into_iter()
        .map(
            |(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() },
        )
        .collect()
}

/// An error code.
#[derive(JsonSchema)]
#[schemars(inline, extend("enum" = catalogue::ALL.iter().map(|code| code.code).collect::<Vec<_>>()))]
struct ProblemName(#[expect(dead_code, reason = "describes what is read")] String);

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Explain an error code")
        .without_database()
        .path_parameter::<ProblemName>("code", "The `code` of a problem document.")
        .answer(
            Answer::content("text/html; charset=utf-8", "The page.")
                .etag()
                .with_header("Cache-Control")
                .with_header("Content-Security-Policy"),
        )
        .if_none_match()
        .problems(&[&catalogue::NOT_FOUND])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_remedy_is_escaped_and_backticks_become_code() {
        assert_eq!(super::html("Say `a < b` & more."), "Say <code>a &lt; b</code> &amp; more.");
    }
}
