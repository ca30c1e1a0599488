//! Business metrics, in CloudWatch's embedded metric format (EMF): a JSON line on stdout that
//! CloudWatch turns into data points, so that counting costs no request.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! While a function handles an event, it adds to metrics. At the end, the runtime prints them
//! ([`print`]). Each value of a metric's dimension is billed as a metric of its own, so dimensions
//! have few values: never ids.

mod emf;
pub mod order;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;

use crate::config::{ConfigError, required};

/// A metric. Its data points have the dimension `Stack`, and at most one more. If it is totaled,
/// each also counts for the stack as a whole, because an alarm watches one set of dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    name: &'static str,
    unit: &'static str,
    dimension: Option<&'static str>,
    is_totaled: bool,
}

/// Declares the metrics.
macro_rules! metrics {
    ($(
        $(#[$doc:meta])*
        $id:ident = $name:literal in $unit:literal $(by $dimension:literal $($total:ident)?)?;
    )+) => {
        $(
            $(#[$doc])*
            pub const $id: Metric = Metric {
                name: $name,
                unit: $unit,
                dimension: [$(Some($dimension),)? None][0],
                is_totaled: [$($(stringify!($total),)?)? ""][0].len() > 0,
            };
        )+

        /// All metrics.
        #[cfg(test)]
        const ALL: &[Metric] = &[$($id),+];
    };
}

// tests/it/operations reads this list as text, and compares it with the template.
metrics! {
    /// Orders that reached a status.
    ORDERS = "Orders" in "Count" by "Status";
    /// Orders whose payment reached a status.
    PAYMENTS = "Payments" in "Count" by "PaymentStatus";
    /// Refunds that `succeeded`, that a bank returned (`failed`), or that Stripe `refused`.
    REFUNDS = "Refunds" in "Count" by "RefundOutcome";
    /// What an administrator has to look at: reasons that orders gained, and Stripe events that
    /// contradict their order or can't be read (`payment_mismatch`).
    ATTENTION = "Attention" in "Count" by "Reason";
    /// Orders that should have moved on long ago and did not in this run.
    STUCK = "OrdersStuck" in "Count";
    /// Orders that `orders-timers` moved (`done`) or failed to move (`failed`).
    TIMERS = "Timers" in "Count" by "TimerOutcome";
    /// Webhook requests that were `stored`, that `repeated` a stored event, or that were `refused`
    /// for their signature.
    WEBHOOKS = "Webhooks" in "Count" by "WebhookOutcome";
    /// The time from receiving a Stripe event to having handled it.
    INBOX_AGE = "InboxAge" in "Milliseconds";
    /// Frames that were `sent` to a socket, whose socket was `gone`, or that `failed`.
    PUSHES = "Pushes" in "Count" by "PushOutcome";
    /// Runs of a function, invoked by a schedule or by hand, in which nothing failed.
    RUNS = "Runs" in "Count" by "Function";
    /// Batches and runs in which anything failed, and socket events that failed on our side. AWS's
    /// `Errors` counts neither batches of which a part failed nor socket events.
    FAILURES = "Failures" in "Count" by "Function" totaled;
    /// Calls to DynamoDB that it throttled (`throttled`) or did not answer (`unavailable`), after
    /// all retries.
    DATABASE = "DatabaseFailures" in "Count" by "DatabaseFailure" totaled;
}

/// The most values that a line may hold for a metric.
const VALUES_PER_LINE: usize = 100;

/// The values since the last [`print`], by metric and the value of its dimension.
type Recorded = BTreeMap<(Metric, String), Vec<u64>>;

static STACK: OnceLock<String> = OnceLock::new();
static RECORDED: Mutex<Recorded> = Mutex::new(BTreeMap::new());

impl Metric {
    /// Adds `count` under this value of the metric's dimension.
    pub fn add(self, by: &str, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let mut recorded = recorded();
        let values = recorded.entry((self, by.to_owned())).or_insert_with(|| vec![0]);
        values[0] = values[0].saturating_add(count);
    }

    /// Records one value of a metric without a dimension of its own.
    pub fn record(self, value: u64) {
        recorded().entry((self, String::new())).or_default().push(value);
    }
}

/// Reads `STACK_NAME`. Before this is called, [`print`] prints nothing.
///
/// # Errors
/// Fails if the variable is not set or empty.
pub fn init() -> Result<(), ConfigError> {
    let stack = required("STACK_NAME")?;
    drop(STACK.set(stack));
    Ok(())
}

/// Prints what was recorded since the last call, one line per metric and dimension.
pub fn print() {
    let recorded = std::mem::take(&mut *recorded());
    let Some(stack) = STACK.get() else { return };
    let lines = emf::lines(&recorded, stack, Timestamp::now());
    // Logging must not make a function fail.
    drop(std::io::stdout().lock().write_all(lines.as_bytes()));
}

fn recorded() -> MutexGuard<'static, Recorded> {
    RECORDED.lock().unwrap_or_else(PoisonError::into_inner)
}
