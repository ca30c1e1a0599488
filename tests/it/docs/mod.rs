//! The API description and its page.

mod files;
mod openapi;
mod problems;
mod ui;

use serde_json::Value;

use crate::support::shared_cloud;

/// Returns the API description.
async fn document() -> Value {
    shared_cloud().client().get("/openapi.json").await.expect_status(200)
}
