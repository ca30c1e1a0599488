//! The API description, and the pages that show it.

pub mod files;
pub mod openapi;
pub mod problems;
pub mod ui;

use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use shared::error::Result;

use crate::http::Reply;

/// How long caches keep what is the same until the next deployment, in seconds.
const CACHED: u32 = 300;

/// A page loads what is served here, and nothing else; nobody frames it. (Swagger UI sets `style`
/// attributes.)
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// An HTML page.
fn page(html: &str) -> Result<Reply> {
    Reply::text("text/html; charset=utf-8", html)?
        .header(CONTENT_SECURITY_POLICY, POLICY)?
        .header(REFERRER_POLICY, "no-referrer")?
        .cacheable(CACHED)
}
