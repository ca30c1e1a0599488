//! `GET /health`: shows that the API answers. It checks nothing else, so that monitoring costs
//! nothing and a busy database does not look like an outage.

use schemars::JsonSchema;
use serde::Serialize;
use shared::error::Result;

use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Nothing;

const ENDPOINT: Endpoint = Endpoint::get("/health", Who::Anyone);

/// The health of the API.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
    /// The version of the deployed code.
    version: &'static str,
}

/// Returns `{status, version}`.
///
/// # Errors
/// None in practice: the body is constant.
pub async fn handle(_: &Nothing, _: Request) -> Result<Reply> {
    Reply::ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let answer = Answer::ok::<Health>("The API answers.");
    Operation::new(&ENDPOINT, "Check that the API answers").without_database().answer(answer)
}
