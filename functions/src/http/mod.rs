//! What all HTTP endpoints share. [`serve`] runs a handler as a Lambda, [`Request`] is the incoming
//! request, [`Reply`] is the response, and [`problem`] turns an error into a problem document.

mod body;
mod caller;
mod endpoint;
mod fields;
mod idempotency;
pub mod page;
pub(crate) mod problem;
mod reply;
mod request;
mod strict;

use std::process::ExitCode;
use std::time::Instant;

use headers::{HeaderMapExt, IfNoneMatch};
use http::Method;
use lambda_http::service_fn;
use shared::error::Result;
use shared::metrics;
use tracing::Instrument;
use tracing::field;

pub(crate) use body::body;
pub use body::{Empty, Number, one_of};
pub use caller::current_caller;
pub use endpoint::{Endpoint, Who};
pub use fields::{Field, FieldErrors, FieldSet, FieldValue, Fields, json, text, texts};
pub use reply::Reply;
pub use request::Request;

use crate::runtime::context::FromEnv;
use crate::runtime::deadline::within;
use crate::runtime::start::{self, milliseconds_since};

/// The largest body in bytes; a larger one is a 413.
const BODY_LIMIT: usize = 64 * 1024;
/// The largest body of a webhook in bytes. Stripe's are far smaller.
const WEBHOOK_BODY_LIMIT: usize = 1024 * 1024;

/// Runs `handle` as a Lambda behind the HTTP API, until the sandbox ends.
///
/// Once per sandbox, it starts logging, builds the context from the environment (a missing variable
/// ends the sandbox with an error that names it) and opens connections while Lambda does not
/// throttle the CPU. For each event, it opens a span with the request's id, checks the size of the
/// body, runs the handler, logs an error and turns it into a problem document, and answers 304 when
/// the client already has the response.
pub fn serve<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Request) -> Fut + Sync,
    Fut: Future<Output = Result<Reply>> + Send,
{
    run(handle, BODY_LIMIT)
}

/// Like [`serve`], with the larger body limit of webhooks.
pub fn serve_webhook<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Request) -> Fut + Sync,
    Fut: Future<Output = Result<Reply>> + Send,
{
    run(handle, WEBHOOK_BODY_LIMIT)
}

/// The same as [`serve`], under a name that marks the `$default` route in the registry. That route
/// gets the requests that match no other route, and is not in the API description.
pub fn serve_default<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Request) -> Fut + Sync,
    Fut: Future<Output = Result<Reply>> + Send,
{
    serve(handle)
}

fn run<C, F, Fut>(handle: F, body_limit: usize) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Request) -> Fut + Sync,
    Fut: Future<Output = Result<Reply>> + Send,
{
    start::run(async |context: &'static C| {
        lambda_http::run(service_fn(|event: lambda_http::Request| {
            let request = Request::new(event);
            let (request_id, route) = (request.id(), request.route());
            // The empty fields are recorded where their values become known.
            let span = tracing::info_span!(
                "request",
                request_id,
                route,
                user = field::Empty,
                order = request.order_id(),
                code = field::Empty,
                errors = field::Empty,
            );
            respond(&handle, context, request, body_limit).instrument(span)
        }))
        .await
    })
}

async fn respond<C, F, Fut>(
    handle: &F,
    context: &'static C,
    request: Request,
    body_limit: usize,
) -> std::result::Result<Reply, lambda_http::Error>
where
    F: Fn(&'static C, Request) -> Fut,
    Fut: Future<Output = Result<Reply>>,
{
    let start = Instant::now();
    let request_id = request.id().to_owned();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known_etags: Option<IfNoneMatch> = request.headers().typed_get().filter(|_| is_read);
    let result = match request.check_size(body_limit) {
        Ok(()) => match request.deadline() {
            Some(deadline) => within(deadline, Box::pin(handle(context, request))).await,
            None => Box::pin(handle(context, request)).await,
        },
        Err(error) => Err(error),
    };
    let reply = result
        .unwrap_or_else(|error| problem::reply(&error, &request_id))
        .not_modified_if_known(known_etags.as_ref());
    // The one line that every request logs. Failures have a line of their own, and details are
    // logged at `debug`.
    let duration_ms = milliseconds_since(start);
    tracing::info!(status = reply.status(), duration_ms, "answered");
    metrics::print();
    Ok(reply.with_common_headers(&request_id)?)
}
