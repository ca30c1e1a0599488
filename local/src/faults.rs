//! Faults on demand that wait for the requests they are to hit: what the stand-ins'
//! `/_local/faults` have in common.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A fault, and which requests it hits.
pub(crate) trait Rule: Clone {
    /// How many requests it is still to hit.
    fn times(&mut self) -> &mut u32;
}

/// The rules that are waiting, the oldest first.
#[derive(Debug)]
pub(crate) struct Faults<R>(Mutex<Vec<R>>);

impl<R> Default for Faults<R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<R: Rule> Faults<R> {
    /// The oldest rule that hits, which is used up by it.
    pub(crate) fn take(&self, hits: impl Fn(&R) -> bool) -> Option<R> {
        let mut rules = self.rules();
        // One that was added for no request at all hits none.
        let rule =
            rules.iter_mut().find_map(|rule| (*rule.times() > 0 && hits(rule)).then_some(rule))?;
        *rule.times() -= 1;
        let taken = rule.clone();
        rules.retain_mut(|rule| *rule.times() > 0);
        Some(taken)
    }

    /// Adds a rule.
    pub(crate) fn add(&self, rule: R) {
        self.rules().push(rule);
    }

    /// Forgets all rules but these.
    pub(crate) fn retain(&self, stays: impl FnMut(&R) -> bool) {
        self.rules().retain(stays);
    }

    /// The rules that are waiting.
    pub(crate) fn list(&self) -> Vec<R> {
        self.rules().clone()
    }

    fn rules(&self) -> MutexGuard<'_, Vec<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, where a rule does not say how many.
pub(crate) fn once() -> u32 {
    1
}
