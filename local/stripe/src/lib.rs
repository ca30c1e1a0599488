//! A stand-in for Stripe: payment intents, charges, refunds, disputes, events and signed webhooks,
//! with Stripe's shapes, errors, idempotency keys and test payment methods. It knows nothing of
//! what it is used for.
//!
//! Left out: whatever moves money to others (Connect), customers and saved cards, manual capture.
//! Parameters that belong to those are refused by name, paths get Stripe's own 404. Keys are any
//! `sk_test_...` and, to see and confirm an intent whose client secret one knows, any
//! `pk_test_...`.
//!
//! Test payment methods are those of <https://docs.stripe.com/testing> (see
//! [`objects::test_method`]), and one more: `pm_card_slow` succeeds after
//! [`Options::slow_payment`]. Those that take time (`pm_usBankAccount_success`,
//! `pm_card_pendingRefund`, `pm_card_refundFail`) take [`Options::settlement`];
//! `pm_usBankAccount_processing` waits to be told.
//!
//! # The control API
//!
//! On the same port, JSON in and out, without a key:
//!
//! | call | what it does |
//! |---|---|
//! | `GET /_local/webhooks` | `{"mode", "delay_ms", "repeat", "held": [ids], "pending": [ids]}`; `pending` are all that are not delivered, held ones included |
//! | `POST /_local/webhooks` | sets any of `{"mode": "deliver" \| "hold" \| "drop" \| "reverse" \| "shuffle", "delay_ms", "repeat", "secrets": [..]}`; several secrets give several `v1` |
//! | `POST /_local/webhooks/release` | delivers what is held, `{"order": "as_created" \| "reverse" \| "shuffle"}`, one after the other -> `[{"event", "status", "body"}]`; what is refused is retried |
//! | `POST /_local/webhooks/send` | posts `{"body": any JSON, or a string as it is, "secrets"?, "timestamp"?, "signature"?}` to the endpoint -> `{"status", "body"}` |
//! | `POST /_local/events/{id}/replay` | delivers one event now, once more -> `{"status", "body"}` |
//! | `POST /_local/faults` | `{"fault", "method"?, "path"?, "containing"?, "times"?}`: what the next calls suffer, see [`faults::Fault`]; `*` is one part of a path, `containing` is text in the parameters |
//! | `GET`, `DELETE /_local/faults` | the faults still waiting; forgets them |
//! | `DELETE /_local/idempotency_keys` | forgets them, as a day does |
//! | `POST /_local/payment_intents/{id}/succeed`, `/fail` | ends what the intent waits for: authentication (`requires_action`) or the bank (`processing`) -> the intent |
//! | `GET /_local/payment_intents/{id}/authenticate` | the bank's page, for people: both as buttons |
//! | `POST /_local/refunds/{id}/settle` | ends at once what a refund would become later -> the refund |
//! | `POST /_local/disputes` | `{"payment_intent" or "charge", "reason"?}`: the customer's bank disputes it -> the dispute |
//! | `POST /_local/disputes/{id}/close` | `{"status": "won" \| "lost"}` -> the dispute |

mod api;
mod control;
mod delivery;
mod dispute;
mod error;
mod faults;
mod ids;
mod log;
mod metadata;
mod money;
mod objects;
mod options;
mod params;
mod payment;
mod refund;
mod signature;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod webhooks;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::log::Log;
pub use self::options::Options;

use self::error::Error;
use self::faults::Faults;
use self::objects::event::Delivery;
use self::objects::payment_intent::Status;
use self::objects::test_method::Outcome;
use self::store::Store;
use self::transaction::{Cause, Transaction};
use self::webhooks::Webhooks;

/// The stand-in's whole state.
struct Stripe {
    options: Options,
    base_url: String,
    log: Log,
    stop: CancellationToken,
    store: Mutex<Store>,
    /// Idempotency keys in use.
    running: Mutex<HashSet<String>>,
    faults: Faults,
    webhooks: Webhooks,
    tasks: TaskTracker,
}

/// Starts the stand-in on `listener`; the task ends when `stop` is cancelled and everything is put
/// away.
///
/// # Errors
/// A webhook URL that is not `http://`, a data file that cannot be read or written, a listener
/// without an address.
pub async fn start(
    listener: TcpListener,
    options: Options,
    log: Log,
    stop: CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    if let Some(url) = options.webhook_url.as_deref().filter(|url| !url.starts_with("http://")) {
        anyhow::bail!("the Stripe stand-in posts webhooks over plain HTTP, not to {url}");
    }
    let stripe = Arc::new(Stripe {
        base_url: format!("http://{}", listener.local_addr()?),
        store: Mutex::new(Store::open(options.data_file.as_deref())?),
        webhooks: Webhooks::new(&options.webhook_secret),
        options,
        log,
        stop: stop.clone(),
        running: Mutex::default(),
        faults: Faults::default(),
        tasks: TaskTracker::new(),
    });
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

impl Stripe {
    /// The store, for reading. Nobody panics while holding it half written: a poisoned lock is as
    /// good as any.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one change: all of it is kept, or none. Then what follows from it is set going.
    fn transact<T>(
        self: &Arc<Self>,
        cause: Cause,
        act: impl FnOnce(&mut Transaction<'_>) -> T,
    ) -> Result<T, Error> {
        let (result, events, unsettled) = self.change(cause, |transaction| {
            let result = act(transaction);
            (
                result,
                std::mem::take(&mut transaction.events),
                std::mem::take(&mut transaction.unsettled),
            )
        })?;
        self.dispatch(events);
        unsettled.into_iter().for_each(|id| self.settle_later(id));
        Ok(result)
    }

    /// The change alone.
    fn change<T>(
        &self,
        cause: Cause,
        act: impl FnOnce(&mut Transaction<'_>) -> T,
    ) -> Result<T, Error> {
        let mut store = self.store();
        let mut transaction = Transaction {
            store: &mut store,
            options: &self.options,
            base_url: &self.base_url,
            now: now(),
            cause,
            events: Vec::new(),
            unsettled: Vec::new(),
        };
        let result = act(&mut transaction);
        store.commit().map_err(|error| {
            self.log.line(None, &format!("the data file cannot be written: {error}"));
            Error::internal("The stand-in could not write its journal; its log says why.")
        })?;
        Ok(result)
    }

    /// Some time later, the payment or the refund `id` ends as its test method says.
    fn settle_later(self: &Arc<Self>, id: String) {
        let stripe = Arc::clone(self);
        self.spawn(async move {
            tokio::time::sleep(stripe.options.settlement).await;
            let settled = stripe.transact(Cause::default(), |transaction| {
                if let Ok(intent) = transaction.intent(&id) {
                    if intent.status == Status::Processing {
                        transaction.conclude(intent, None);
                    }
                } else if let Ok(refund) = transaction.refund(&id) {
                    refund::settle(transaction, refund);
                }
            });
            if settled.is_err() {
                stripe.log.line(None, &format!("{id} could not be settled"));
            }
        });
    }

    /// Continues where a former run stopped.
    fn resume(self: &Arc<Self>) {
        let (pending, unsettled) = {
            let store = self.store();
            let pending: Vec<String> = store
                .events
                .iter()
                .filter(|event| event.delivery == Delivery::Pending)
                .map(|event| event.id.clone())
                .collect();
            let waits = |intent: &&objects::payment_intent::PaymentIntent| {
                let outcome = intent.payment_method.as_ref().map(|method| method.test().outcome);
                intent.status == Status::Processing
                    && matches!(outcome, Some(Outcome::Processes(Some(_))))
            };
            let intents = store.intents.iter().filter(waits).map(|intent| intent.id.clone());
            let refunds = store
                .refunds
                .iter()
                .filter(|refund| refund.becomes.is_some())
                .map(|refund| refund.id.clone());
            (pending, intents.chain(refunds).collect::<Vec<_>>())
        };
        self.dispatch(pending);
        unsettled.into_iter().for_each(|id| self.settle_later(id));
    }

    /// Runs a task until it ends or the stand-in does.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }
}

/// Unix seconds.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
