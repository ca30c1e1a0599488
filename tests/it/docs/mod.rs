//! The API description and its page.

mod openapi;
mod problems;
mod ui;

use serde_json::Value;

use crate::support::cloud;

async fn document() -> Value {
    cloud().client().get("/openapi.json").await.expect(200)
}
