//! The idle instances of all functions.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::instance::Instance;

/// The idle instances of all functions, longest idle first.
#[derive(Debug, Default)]
pub(super) struct Idle {
    instances: Mutex<Vec<Instance>>,
    freed: Notify,
}

impl Idle {
    pub(super) fn len(&self) -> usize {
        self.instances().len()
    }

    /// Takes a live instance of `function` of this generation. It takes the one used last, so that
    /// surplus instances stay idle until they are killed.
    pub(super) fn take(&self, function: &str, generation: u64) -> Option<Instance> {
        let mut instances = self.instances();
        while let Some(at) =
            instances.iter().rposition(|instance| instance.function.name == function)
        {
            let mut instance = instances.remove(at);
            if instance.generation == generation && instance.is_alive() {
                return Some(instance);
            }
        }
        None
    }

    /// Takes the longest idle instance, of any function.
    pub(super) fn take_oldest(&self) -> Option<Instance> {
        let mut instances = self.instances();
        if instances.is_empty() { None } else { Some(instances.remove(0)) }
    }

    pub(super) fn put(&self, instance: Instance) {
        self.instances().push(instance);
    }

    /// Wakes everyone who waits for [`Idle::freed`].
    pub(super) fn notify_freed(&self) {
        self.freed.notify_waiters();
    }

    /// Completes at the next [`Idle::notify_freed`].
    pub(super) fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    /// Kills instances that have been idle for longer than `max_idle`, and removes those whose
    /// process has ended.
    pub(super) async fn reap(&self, max_idle: Duration) {
        let is_expired = |instance: &mut Instance| {
            instance.idle_since.elapsed() > max_idle || !instance.is_alive()
        };
        let expired: Vec<_> = self.instances().extract_if(.., is_expired).collect();
        kill(expired).await;
    }

    pub(super) async fn kill_all(&self) {
        let all = std::mem::take(&mut *self.instances());
        kill(all).await;
    }

    fn instances(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn kill(instances: Vec<Instance>) {
    join_all(instances.into_iter().map(|mut instance| async move { instance.kill().await })).await;
}
