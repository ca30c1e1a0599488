//! What every HTTP endpoint shares: [`serve`] runs a handler as a Lambda, [`Request`] is what came in, [`Reply`] what goes out, and
//! [`problem`] is the one place where an error becomes a problem document.

mod caller;
mod fields;
mod idempotency;
pub mod page;
mod problem;
mod reply;
mod request;

use std::future::Future;
use std::process::ExitCode;

use lambda_http::{Body, RequestExt, Response, service_fn};
use shared::error::Result;
use tracing::Instrument;

pub use caller::{active, bearer, only};
pub use fields::{Fields, Problem, json, text, texts};
pub use idempotency::{idempotency, idempotency_key};
pub use reply::Reply;
pub use request::Request;

use crate::context::FromEnv;

/// Runs `handle` as a Lambda behind the HTTP API, until the sandbox ends.
///
/// Once per sandbox: logging, the context from the environment (a missing variable ends it, by name), connections opened while CPU is not
/// throttled. Per event: a span with the request's id, the handler, and its error, if any, logged and turned into a problem document.
pub fn serve<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Request) -> Fut + Sync,
    Fut: Future<Output = Result<Reply>> + Send,
{
    crate::runtime::run(async |context: &'static C| {
        lambda_http::run(service_fn(|event: lambda_http::Request| {
            let request_id = event.lambda_context_ref().map(|c| c.request_id.clone()).unwrap_or_default();
            let route = event.request_context_ref().and_then(request::route_key).unwrap_or_default();
            let span = tracing::info_span!("request", request_id, route);
            respond(&handle, context, event, request_id).instrument(span)
        }))
        .await
    })
}

async fn respond<C, F, Fut>(
    handle: &F,
    context: &'static C,
    event: lambda_http::Request,
    request_id: String,
) -> std::result::Result<Response<Body>, lambda_http::Error>
where
    F: Fn(&'static C, Request) -> Fut,
    Fut: Future<Output = Result<Reply>>,
{
    let answered = handle(context, Request::new(event)).await;
    let reply = answered.unwrap_or_else(|error| problem::reply(&error, &request_id));
    tracing::info!(status = reply.status(), "answered");
    reply.into_response(&request_id)
}
