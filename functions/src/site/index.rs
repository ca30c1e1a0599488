//! `GET /`: where things are.

use serde_json::json;
use shared::error::Result;

use crate::context::Nothing;
use crate::http::{Reply, Request};

/// Links to the API's collections.
pub async fn handle(_: &Nothing, _: Request) -> Result<Reply> {
    Reply::ok(&json!({
        "name": "marketplace",
        "version": env!("CARGO_PKG_VERSION"),
        "links": {
            "health": "/health",
            "register": "/auth/register",
            "token": "/auth/token",
            "services": "/services",
            "orders": "/orders",
            "open_orders": "/orders/open",
            "live_tickets": "/live/tickets",
            "live_feed": "/live/feed",
        },
    }))?
    .cacheable(300)
}
