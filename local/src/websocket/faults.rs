//! Faults that tests inject into the next requests to `@connections` (`/_local/faults`).

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::faults::{self, Faults, once};

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    /// Responds with 429 without acting, as when the account's request rate is exceeded.
    #[serde(rename = "error_429")]
    Error429,
    /// Responds with 500 without acting.
    #[serde(rename = "error_500")]
    Error500,
    /// Neither acts nor responds, until the caller gives up.
    Timeout,
    /// Acts, but doesn't respond, until the caller gives up.
    TimeoutAfterActing,
}

/// A pending fault and the requests that it applies to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    /// Only requests with this method: `POST`, `GET` or `DELETE`. All methods if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// Only requests whose body contains this text, such as the name of a feed. All requests if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    containing: Option<String>,
    /// How many requests fail. 1 if absent.
    #[serde(default = "once")]
    times: u32,
}

impl faults::Rule for Rule {
    fn times(&mut self) -> &mut u32 {
        &mut self.times
    }
}

impl Rule {
    /// Whether the fault applies to this request.
    pub(super) fn matches(&self, method: &Method, body: &[u8]) -> bool {
        let contains = |text: &str| String::from_utf8_lossy(body).contains(text);
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self.containing.as_deref().is_none_or(contains)
    }
}

type App = State<Arc<Faults<Rule>>>;

/// Returns the routes of `/_local/faults`. `POST` adds a fault, `GET` lists the pending ones, and
/// `DELETE` removes them all, or those with the given `?containing=`.
pub(super) fn router(faults: Arc<Faults<Rule>>) -> Router {
    Router::new().route("/_local/faults", get(list).post(add).delete(clear)).with_state(faults)
}

async fn list(State(faults): App) -> Json<Vec<Rule>> {
    Json(faults.list())
}

async fn add(State(faults): App, Json(rule): Json<Rule>) -> (StatusCode, Json<Vec<Rule>>) {
    faults.add(rule);
    (StatusCode::CREATED, list(State(faults)).await)
}

/// Selects the faults to remove: all of them, unless `containing` is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selector {
    containing: Option<String>,
}

async fn clear(State(faults): App, Query(selector): Query<Selector>) -> Json<Vec<Rule>> {
    faults.retain(|rule| selector.containing.is_some() && rule.containing != selector.containing);
    list(State(faults)).await
}
