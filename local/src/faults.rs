//! Faults on demand: rules that make matching requests fail.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A fault and the requests it applies to.
pub(crate) trait Rule: Clone {
    /// How many more requests it applies to.
    fn times(&mut self) -> &mut u32;
}

/// The active rules, oldest first.
#[derive(Debug)]
pub(crate) struct Faults<R>(Mutex<Vec<R>>);

impl<R> Default for Faults<R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<R: Rule> Faults<R> {
    /// Uses up one request of the oldest rule for which `applies` holds, and returns the rule.
    pub(crate) fn take(&self, applies: impl Fn(&R) -> bool) -> Option<R> {
        let mut rules = self.rules();
        // A rule may have been added with `times` 0.
        let rule = rules
            .iter_mut()
            .find_map(|rule| (*rule.times() > 0 && applies(rule)).then_some(rule))?;
        *rule.times() -= 1;
        let taken = rule.clone();
        rules.retain_mut(|rule| *rule.times() > 0);
        Some(taken)
    }

    /// Adds a rule.
    pub(crate) fn add(&self, rule: R) {
        self.rules().push(rule);
    }

    /// Removes every rule for which `keep` does not hold.
    pub(crate) fn retain(&self, keep: impl FnMut(&R) -> bool) {
        self.rules().retain(keep);
    }

    /// Returns the active rules.
    pub(crate) fn list(&self) -> Vec<R> {
        self.rules().clone()
    }

    fn rules(&self) -> MutexGuard<'_, Vec<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The default of a rule's `times`.
pub(crate) fn once() -> u32 {
    1
}
