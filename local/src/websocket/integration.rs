//! Invokes the function of a route, and reads its reply.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use tokio::time::timeout;

use super::event::Event;
use super::gateway::Gateway;

/// A function's reply. Its body is ignored, because route responses are not supported.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    headers: BTreeMap<String, String>,
}

impl Reply {
    /// Returns the value of a header. The name is case-insensitive.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Why there is no reply. The reason has been logged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The function did not run, it failed, or its reply is not a valid proxy integration reply.
    Failed,
    /// The function took longer than the integration timeout.
    TimedOut,
}

/// The reply of a Lambda proxy integration, as the function sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyReply {
    status_code: u16,
    headers: Option<BTreeMap<String, String>>,
}

impl Gateway {
    /// Invokes `function` with `event` and waits for its reply.
    ///
    /// # Errors
    /// When the function fails, its reply is malformed, or it exceeds the integration timeout.
    pub(super) async fn integrate(
        self: &Arc<Self>,
        function: &str,
        event: Event,
    ) -> Result<Reply, Failure> {
        let context = &event.request_context;
        let log = |text: String| {
            let text =
                format!("{} ({}): {function} {text}", context.route_key, context.connection_id);
            self.log.line("ws", Some(&context.request_id), &text);
        };
        let payload = match serde_json::to_vec(&event) {
            Ok(payload) => Bytes::from(payload),
            Err(error) => {
                log(format!("was not invoked: {error}"));
                return Err(Failure::Failed);
            }
        };
        // The invocation runs in its own task, so that a timeout ends the waiting but not the
        // function.
        let (invoke, name) = (Arc::clone(&self.invoke), function.to_owned());
        let invocation = self.tasks.spawn(async move { invoke.invoke(&name, payload).await });
        let Ok(invoked) = timeout(self.quotas.integration_timeout, invocation).await else {
            log("did not reply within the integration timeout".to_owned());
            return Err(Failure::TimedOut);
        };
        let reply = match invoked {
            Ok(Ok(invocation)) if invocation.error.is_none() => parse(&invocation.payload),
            Ok(Ok(invocation)) => Err(format!("failed: {:?}", invocation.error)),
            Ok(Err(error)) => Err(format!("was not invoked: {error}")),
            Err(error) => Err(format!("was not invoked: {error}")),
        };
        reply.map_err(|problem| {
            log(problem);
            Failure::Failed
        })
    }
}

fn parse(payload: &[u8]) -> Result<Reply, String> {
    let malformed = |what: String| format!("returned a malformed proxy reply: {what}");
    let reply: ProxyReply =
        serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
    let status = StatusCode::from_u16(reply.status_code)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()));
    let status = status.ok_or_else(|| malformed(format!("statusCode {}", reply.status_code)))?;
    Ok(Reply { status, headers: reply.headers.unwrap_or_default() })
}
