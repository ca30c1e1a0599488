//! `GET /health`: whether requests are answered at all. It looks at nothing else, so that a monitor
//! costs nothing and a busy database does not look like an outage.

use schemars::JsonSchema;
use serde::Serialize;
use shared::error::Result;

use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Nothing;

const ENDPOINT: Endpoint = Endpoint::get("/health", Who::Anyone);

/// That requests are answered.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
    /// Of the code that answers.
    version: &'static str,
}

/// `{status, version}`.
pub async fn handle(_: &Nothing, _: Request) -> Result<Reply> {
    Reply::ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Whether requests are answered")
        .without_database()
        .answer(Answer::ok::<Health>("They are."))
}
