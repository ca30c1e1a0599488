//! `GET /health`: whether requests are answered at all. It looks at nothing else, so that a monitor costs nothing and a busy database does
//! not look like an outage.

use serde_json::json;
use shared::error::Result;

use crate::context::Nothing;
use crate::http::{Reply, Request};

/// `{status, version}`.
pub async fn handle(_: &Nothing, _: Request) -> Result<Reply> {
    Reply::ok(&json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}
