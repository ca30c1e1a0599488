//! Faults that tests inject into the next calls of the API (`/_local/faults`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub(crate) enum Fault {
    /// The call does nothing and returns 500. As at Stripe, the response is stored under the call's
    /// idempotency key.
    #[serde(rename = "error_500")]
    Error500,
    /// The call takes effect but returns 500, which is stored under its idempotency key.
    #[serde(rename = "error_500_after_acting")]
    Error500AfterActing,
    /// The call does nothing and returns 400 `balance_insufficient`, which is stored under its
    /// idempotency key.
    #[serde(rename = "error_400")]
    Error400,
    /// The call does nothing and returns 429, which is not stored.
    #[serde(rename = "error_429")]
    Error429,
    /// The call does nothing, and the connection breaks.
    ConnectionReset,
    /// The call takes effect, then the connection breaks.
    ConnectionResetAfterActing,
    /// The call takes effect, but the response comes only after ten minutes.
    TimeoutAfterActing,
    /// The call takes effect, but the response comes late, so that webhooks arrive first.
    SlowResponse {
        /// The delay of the response.
        delay_ms: u64,
    },
}

/// A fault, and the calls that it applies to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    #[serde(flatten)]
    fault: Fault,
    /// The HTTP method, such as `POST`. Any method if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The whole path, in which `*` stands for one segment: `/v1/payment_intents/*/confirm`. Any
    /// path if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Text that the encoded parameters contain, such as an id. Any parameters if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    containing: Option<String>,
    /// How many more calls fail. 1 if absent.
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

impl Rule {
    fn applies_to(&self, method: &Method, path: &str, parameters: &str) -> bool {
        self.times > 0
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self.path.as_deref().is_none_or(|pattern| path_matches(pattern, path))
            && self.containing.as_deref().is_none_or(|text| parameters.contains(text))
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(wanted, given)| *wanted == "*" || wanted == given)
}

/// The pending faults, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    /// Returns the fault of the oldest rule that applies to this call, and counts it as used once.
    pub(crate) fn take(&self, method: &Method, path: &str, parameters: &str) -> Option<Fault> {
        let mut rules = self.rules();
        let rule = rules.iter_mut().find(|rule| rule.applies_to(method, path, parameters))?;
        rule.times -= 1;
        let fault = rule.fault;
        rules.retain(|rule| rule.times > 0);
        Some(fault)
    }

    /// Adds a rule.
    pub(crate) fn add(&self, rule: Rule) {
        self.rules().push(rule);
    }

    /// Removes all rules.
    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    /// Returns the pending rules.
    pub(crate) fn list(&self) -> Vec<Rule> {
        self.rules().clone()
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
