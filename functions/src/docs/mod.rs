//! The API description, and the pages that show it and explain its error codes.

pub mod files;
pub mod openapi;
pub mod problems;
pub mod ui;

use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use shared::error::Result;

use crate::http::Reply;

/// How long caches may keep content that only changes with a deployment.
const MAX_AGE_SECONDS: u32 = 300;

/// A page may load only files from this origin, and may not be framed. Swagger UI sets `style`
/// attributes, hence `unsafe-inline`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// An HTML page.
fn page(html: &str) -> Result<Reply> {
    Reply::text("text/html; charset=utf-8", html)?
        .header(CONTENT_SECURITY_POLICY, POLICY)?
        .header(REFERRER_POLICY, "no-referrer")?
        .cacheable_for(MAX_AGE_SECONDS)
}
