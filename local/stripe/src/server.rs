//! The HTTP server.

use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::log::Log;
use crate::options::Options;
use crate::stripe::Stripe;
use crate::{api, control};

/// Starts the stand-in on `listener`. After `stop` is cancelled, the returned task ends as soon as
/// every request is answered and every background task has ended.
///
/// # Errors
/// When the webhook URL does not begin with `http://`, when the data file cannot be read or
/// written, is damaged, or is in use by another process, and when the listener has no address.
pub async fn start(
    listener: TcpListener,
    options: Options,
    log: Log,
    stop: CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    if let Some(url) = options.webhook_url.as_deref().filter(|url| !url.starts_with("http://")) {
        anyhow::bail!("the stand-in for Stripe posts webhooks over plain HTTP, not to {url}");
    }
    let base_url = format!("http://{}", listener.local_addr()?);
    let stripe = Arc::new(Stripe::open(options, base_url, log, stop.clone())?);
    stripe.resume();
    let router =
        Router::new().merge(control::routes()).fallback(api::serve).with_state(Arc::clone(&stripe));
    Ok(tokio::spawn(async move {
        let served =
            axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            stripe.log.line(None, &format!("stopped serving: {error}"));
        }
        stripe.tasks.close();
        stripe.tasks.wait().await;
    }))
}
