//! Faults on demand: what the next calls to the API suffer (`/_local/faults`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub(super) enum Fault {
    /// 500 without having acted. As at Stripe, the answer is kept under the call's idempotency key.
    #[serde(rename = "error_500")]
    Error500,
    /// Acts, then 500; also kept.
    #[serde(rename = "error_500_after_acting")]
    Error500AfterActing,
    /// 400 without having acted, as for an account whose balance does not suffice; kept, too.
    #[serde(rename = "error_400")]
    Error400,
    /// 429 without having acted; not kept.
    #[serde(rename = "error_429")]
    Error429,
    /// The connection breaks without having acted.
    ConnectionReset,
    /// Acts, then the connection breaks.
    ConnectionResetAfterActing,
    /// Acts, and then does not answer for ten minutes.
    TimeoutAfterActing,
    /// Acts, and answers late: webhooks come first.
    SlowResponse {
        /// How late.
        delay_ms: u64,
    },
}

/// A fault waiting for its call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rule {
    #[serde(flatten)]
    fault: Fault,
    /// `POST`; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The whole path; `*` stands for one part: `/v1/payment_intents/*/confirm`. Any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Text in the call's parameters, as they are sent: an id, say. Any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    containing: Option<String>,
    /// How many calls it hits, 1 when absent.
    #[serde(default = "once")]
    times: u32,
}

/// How many calls a fault hits that does not say.
fn once() -> u32 {
    1
}

impl Rule {
    /// Whether it is about this call.
    fn hits(&self, method: &Method, path: &str, parameters: &str) -> bool {
        let same_path = |pattern: &str| {
            let (wanted, given): (Vec<_>, Vec<_>) =
                (pattern.split('/').collect(), path.split('/').collect());
            wanted.len() == given.len()
                && wanted
                    .iter()
                    .zip(&given)
                    .all(|(wanted, given)| *wanted == "*" || wanted == given)
        };
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self.path.as_deref().is_none_or(same_path)
            && self.containing.as_deref().is_none_or(|text| parameters.contains(text))
    }
}

/// The faults still waiting, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    /// Takes the oldest fault that hits this call; each use counts against its `times`.
    pub(super) fn take(&self, method: &Method, path: &str, parameters: &str) -> Option<Fault> {
        let mut rules = self.rules();
        let hit =
            rules.iter_mut().find(|rule| rule.times > 0 && rule.hits(method, path, parameters))?;
        hit.times -= 1;
        let fault = hit.fault;
        rules.retain(|rule| rule.times > 0);
        Some(fault)
    }

    /// Adds a fault.
    pub(super) fn add(&self, rule: Rule) {
        self.rules().push(rule);
    }

    /// Forgets every fault.
    pub(super) fn clear(&self) {
        self.rules().clear();
    }

    /// The faults still waiting.
    pub(super) fn list(&self) -> Vec<Rule> {
        self.rules().clone()
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
