//! The order in which events arrive, and how often they do, does not matter.

use futures::StreamExt;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Checkout, Shopper, cloud_without_webhooks, events_in_state, ledger, until_event, until_handled,
};

/// Returns all permutations of these items.
fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for index in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        all.extend(
            permutations(&rest).into_iter().map(|tail| [vec![first.clone()], tail].concat()),
        );
    }
    all
}

/// Returns what must not depend on the order of events: everything about an order except ids and
/// times.
async fn outcome(checkout: &Checkout) -> Value {
    let (order, payment) = (checkout.read().await, checkout.payment().await);
    let of = |list: &str| {
        let items = payment[list].as_array().unwrap().iter();
        items.map(|item| json!([item["money"], item["status"]])).collect::<Vec<_>>()
    };
    json!({
        "status": order["status"], "payment_status": order["payment_status"],
        "actions": order["actions"], "deadline": order["deadline"].is_string(),
        "balance": payment["balance"], "ledger": ledger(&payment),
        "refunds": of("refunds"), "disputes": of("disputes"),
    })
}

/// Delivers every permutation of these types of events, with repetitions. Each is for its own
/// order, to which `happen` was applied. Asserts that all outcomes are equal, and returns the
/// outcome.
async fn assert_order_does_not_matter(
    shopper: &Shopper,
    types: &[&str],
    happen: impl AsyncFn(&Shopper, &Checkout),
) -> Value {
    let one = async |n: usize, permutation: Vec<&str>| {
        let checkout = shopper.checkout().await;
        happen(shopper, &checkout).await;
        let mut all = shopper.stripe.events_of(&checkout.intent, types).await;
        assert_eq!(all.len(), types.len(), "{types:?}: {all:#?}");
        all.sort_by_key(|event| permutation.iter().position(|kind| event["type"] == *kind));
        for event in &all {
            // Repetitions are delivered concurrently.
            join_all((0..=n % 3).map(|_| shopper.stripe.deliver(event))).await;
        }
        let ids: Vec<_> = all.iter().map(|event| event["id"].as_str().unwrap()).collect();
        until_handled(&shopper.admin, &ids).await;
        (permutation.join(", "), outcome(&checkout).await)
    };
    let all =
        permutations(types).into_iter().enumerate().map(|(n, permutation)| one(n, permutation));
    // Two at a time, because each occupies several function processes.
    let outcomes: Vec<_> = futures::stream::iter(all).buffered(2).collect().await;
    for (permutation, outcome) in &outcomes {
        assert_eq!(*outcome, outcomes[0].1, "{permutation}");
    }
    outcomes[0].1.clone()
}

#[tokio::test]
async fn every_permutation_of_a_payments_events_has_the_same_outcome() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let declined_then_paid = assert_order_does_not_matter(
        &shopper,
        &[
            "payment_intent.payment_failed",
            "payment_intent.requires_action",
            "payment_intent.succeeded",
        ],
        async |shopper, checkout| {
            checkout.pay("pm_card_chargeDeclined").await.expect_status(402);
            checkout.pay("pm_card_authenticationRequired").await.expect_status(200);
            shopper
                .stripe
                .control(&format!("payment_intents/{}/succeed", checkout.intent), json!({}))
                .await;
        },
    );
    let paid_then_refunded = assert_order_does_not_matter(
        &shopper,
        &["payment_intent.succeeded", "refund.created", "charge.refunded"],
        async |shopper, checkout| {
            checkout.pay("pm_card_visa").await.expect_status(200);
            shopper
                .stripe
                .call("/v1/refunds", &[("payment_intent", &checkout.intent)])
                .await
                .expect_status(200);
        },
    );
    let paid_when_canceled = assert_order_does_not_matter(
        &shopper,
        &["payment_intent.processing", "payment_intent.succeeded"],
        async |shopper, checkout| {
            checkout.pay("pm_usBankAccount_processing").await.expect_status(200);
            checkout.cancel().await.expect_status(200);
            shopper
                .stripe
                .control(&format!("payment_intents/{}/succeed", checkout.intent), json!({}))
                .await;
        },
    );
    let disputed = assert_order_does_not_matter(
        &shopper,
        &["payment_intent.succeeded", "charge.dispute.created", "charge.dispute.closed"],
        async |shopper, checkout| {
            checkout.pay("pm_card_createDispute").await.expect_status(200);
            let disputes = shopper
                .stripe
                .read(&format!("/v1/disputes?payment_intent={}", checkout.intent))
                .await;
            let dispute = disputes["data"][0]["id"].as_str().unwrap();
            shopper
                .stripe
                .control(&format!("disputes/{dispute}/close"), json!({"status": "lost"}))
                .await;
        },
    );
    let (paid, refunded, canceled, disputed) =
        futures::join!(declined_then_paid, paid_then_refunded, paid_when_canceled, disputed);
    let statuses = |outcome: &Value| [outcome["status"].clone(), outcome["payment_status"].clone()];
    assert_eq!(
        (statuses(&paid), &paid["ledger"]),
        ([json!("open"), json!("paid")], &json!([["charge", 1999]]))
    );
    let back = json!([["charge", 1999], ["refund", -1999]]);
    assert_eq!(
        (statuses(&refunded), &refunded["ledger"]),
        ([json!("open"), json!("refunded")], &back)
    );
    assert_eq!(
        (statuses(&canceled), &canceled["ledger"]),
        ([json!("canceled"), json!("refunded")], &back)
    );
    let taken = json!([["charge", 1999], ["chargeback", -1999]]);
    assert_eq!(
        (statuses(&disputed), &disputed["ledger"]),
        ([json!("open"), json!("paid")], &taken)
    );
    assert_eq!(disputed["balance"]["amount"], 0);
}

#[tokio::test]
async fn a_concurrently_repeated_event_is_stored_and_applied_once() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let checkout = shopper.checkout().await;
    checkout.pay("pm_card_visa").await.expect_status(200);
    let event = &shopper.stripe.events_of(&checkout.intent, &["payment_intent.succeeded"]).await[0];
    join_all((0..20).map(|_| shopper.stripe.deliver(event))).await;
    let order = checkout.until_statuses("open", "paid").await;
    let id = event["id"].as_str().unwrap();
    until_event(&shopper.admin, "applied", id).await;
    shopper.stripe.deliver(event).await;
    let mut stored = 0;
    for state in ["pending", "applied", "unchanged", "ignored", "mismatch", "unreadable"] {
        stored += events_in_state(&shopper.admin, state)
            .await
            .iter()
            .filter(|item| item["id"] == id)
            .count();
    }
    assert_eq!(stored, 1);
    assert_eq!(checkout.read().await["version"], order["version"]);
}
