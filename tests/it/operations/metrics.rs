//! Business metrics: what an order leaves behind on its way, and which metrics exist.

use serde_json::json;

use crate::support::{Cloud, Parties, TestOrder, eventually, read, until_payment_status};

/// A metric of ours, as `shared/src/metrics/mod.rs` declares it.
#[derive(Debug)]
pub(super) struct Metric {
    pub name: String,
    /// Its dimension besides `Stack`.
    pub dimension: Option<String>,
    /// Whether its data points also count without that dimension.
    pub is_totaled: bool,
}

/// The declared metrics: `ORDERS = "Orders" in "Count" by "Status";`.
pub(super) fn declared() -> Vec<Metric> {
    let text = read("shared/src/metrics/mod.rs");
    let list =
        text.split_once("\nmetrics! {").expect("a list").1.split_once("\n}").expect("an end").0;
    let metric = |line: &str| {
        let (_, declaration) = line.trim().strip_suffix(';')?.split_once(" = ")?;
        let mut quoted = declaration.split('"').skip(1).step_by(2).map(str::to_owned);
        let (name, _unit) = (quoted.next()?, quoted.next()?);
        let is_totaled = declaration.ends_with(" totaled");
        Some(Metric { name, dimension: quoted.next(), is_totaled })
    };
    let metrics: Vec<_> = list.lines().filter_map(metric).collect();
    assert!(metrics.len() >= 10, "only {metrics:?} were read");
    metrics
}

#[tokio::test]
async fn an_order_leaves_its_metrics_in_the_log() {
    let cloud = Cloud::start("metrics", &["--ephemeral", "--verbose"]);
    let parties = Parties::new(&cloud).await;
    let refused = cloud.client().with_header("stripe-signature", "t=1,v1=00");
    refused.post("/webhooks/stripe", json!({})).await.problem(400, "invalid_signature");
    let order = TestOrder::between(&cloud, &parties, "delivered").await;
    order.transition(&order.client, "complete").await;
    let canceled = TestOrder::between(&cloud, &parties, "open").await;
    canceled.transition(&canceled.client, "cancel").await;
    until_payment_status(&canceled.client, &canceled.id, "refunded").await;
    cloud.invoke("orders-timers", json!({})).await;

    // Each of these functions counted once, so its line says 1.
    for (function, metric) in [
        ("orders-create", "Orders=1 Stack=marketplace Status=pending"),
        ("orders-accept", "Orders=1 Stack=marketplace Status=assigned"),
        ("orders-deliver", "Orders=1 Stack=marketplace Status=delivered"),
        ("orders-complete", "Orders=1 Stack=marketplace Status=completed"),
        ("orders-cancel", "Orders=1 Stack=marketplace Status=canceled"),
        ("orders-cancel", "Payments=1 Stack=marketplace PaymentStatus=refund_pending"),
        ("webhooks-stripe", "Webhooks=1 Stack=marketplace WebhookOutcome=stored"),
        ("webhooks-stripe", "Webhooks=1 Stack=marketplace WebhookOutcome=refused"),
        ("orders-timers", "Runs=1 Stack=marketplace Function=OrdersTimers"),
        ("orders-timers", "OrdersStuck=0 Stack=marketplace"),
    ] {
        let is_there = async || {
            let log = cloud.log_text();
            let line =
                |line: &&str| line.contains(&format!(" {function} ")) && line.ends_with(metric);
            log.lines().find(line).map(drop)
        };
        eventually(&format!("{function}: {metric}"), is_there).await;
    }
    // Which function applies a payment first, and how many at once, differs between runs.
    for metric in
        ["Status=open", "PaymentStatus=paid", "PaymentStatus=refunded", "RefundOutcome=succeeded"]
    {
        let has = async || cloud.log_text().lines().any(|l| l.ends_with(metric)).then_some(());
        eventually(metric, has).await;
    }
    let age = async || cloud.log_text().contains(" metric InboxAge=").then_some(());
    eventually("the inbox's age", age).await;
    let log = cloud.log_text();
    assert!(!log.contains("\"_aws\""), "no metric is shown as JSON");
    assert!(!log.contains("PushOutcome=failed") && !log.contains("Failures="), "nothing failed");
}

/// Metrics are for CloudWatch. On a laptop they would hide what one looks for.
#[tokio::test]
async fn the_log_has_no_metrics_unless_it_is_verbose() {
    let cloud = crate::support::shared_cloud();
    TestOrder::in_status(cloud, "pending").await;
    let log = cloud.log_text();
    assert!(!log.contains("_aws") && !log.contains(" metric "), "metrics in the log");
}
