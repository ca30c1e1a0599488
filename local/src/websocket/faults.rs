//! Faults on demand for the next requests to `@connections` (`/_local/faults`).

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::faults::{self, Faults, once};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    /// 429 without having acted: the account's requests a second are used up.
    #[serde(rename = "error_429")]
    Error429,
    /// 500 without having acted.
    #[serde(rename = "error_500")]
    Error500,
    /// Neither acts nor answers until its caller gives up.
    Timeout,
    /// Acts, and does not answer until its caller gives up.
    TimeoutAfterActing,
}

/// A fault waiting for its request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    /// `POST`, `GET`, `DELETE`; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// Text in the body: the name of a feed, say. Any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    containing: Option<String>,
    /// How many requests it hits, 1 when absent.
    #[serde(default = "once")]
    times: u32,
}

impl faults::Rule for Rule {
    fn times(&mut self) -> &mut u32 {
        &mut self.times
    }
}

impl Rule {
    /// Whether it is about this request.
    pub(super) fn hits(&self, method: &Method, body: &[u8]) -> bool {
        let contains = |text: &str| String::from_utf8_lossy(body).contains(text);
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self.containing.as_deref().is_none_or(contains)
    }
}

type App = State<Arc<Faults<Rule>>>;

/// `POST`, `GET`, `DELETE /_local/faults`: adds a fault, lists those still waiting, forgets them
/// (with `?containing=` only those).
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

/// Which faults to forget: all when it is empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    containing: Option<String>,
}

async fn clear(State(faults): App, Query(which): Query<Which>) -> Json<Vec<Rule>> {
    faults.retain(|rule| which.containing.is_some() && rule.containing != which.containing);
    list(State(faults)).await
}
