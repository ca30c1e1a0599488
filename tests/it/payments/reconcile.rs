//! The `payments-reconcile` function: what it finds when webhooks do not arrive.

use serde_json::json;

use super::{attention, deaf, healed, reconcile};
use crate::support::{Shopper, eventually, handled, ledger, listed, worker};

#[tokio::test]
async fn payments_and_refunds_are_found_without_any_webhook() {
    let cloud = deaf().await;
    let shopper = Shopper::new(cloud).await;
    let (paid, slow, untouched) =
        (shopper.checkout().await, shopper.checkout().await, shopper.checkout().await);
    paid.pay("pm_card_visa").await.expect(200);
    slow.pay("pm_usBankAccount_processing").await.expect(200);
    healed(cloud, &paid, "open", "paid").await;
    healed(cloud, &slow, "pending", "processing").await;
    assert_eq!(untouched.states().await, ("pending".into(), "unpaid".into()));
    // One that waits for the bank has no deadline, and is looked after all the same.
    shopper.stripe.control(&format!("payment_intents/{}/succeed", slow.intent), json!({})).await;
    // A refund that takes its time.
    let back = shopper.paid("pm_card_pendingRefund").await;
    back.cancel().await.expect(200);
    let made = async || shopper.stripe.refunds_of(&back.intent).await.into_iter().next();
    let refund = eventually("a refund is made", made).await;
    assert_eq!(
        back.states().await,
        ("canceled".into(), "refund_pending".into()),
        "until Stripe says otherwise"
    );
    shopper
        .stripe
        .control(&format!("refunds/{}/settle", refund["id"].as_str().unwrap()), json!({}))
        .await;
    // Two runs at once: each step is one that somebody else may be taking.
    futures::join!(reconcile(cloud), reconcile(cloud));
    healed(cloud, &slow, "open", "paid").await;
    healed(cloud, &back, "canceled", "refunded").await;
    assert_eq!(ledger(&back.payment().await), [("charge", 1999), ("refund", -1999)]);
    let version = paid.read().await["version"].clone();
    reconcile(cloud).await;
    assert_eq!(paid.read().await["version"], version, "nothing is left to do, and nothing is done");
}

#[tokio::test]
async fn undelivered_events_are_fetched_and_applied() {
    let cloud = deaf().await;
    let shopper = Shopper::new(cloud).await;
    let refunded = shopper.paid("pm_card_visa").await;
    // By hand, at the dashboard. No order is under way: only the events tell.
    shopper
        .stripe
        .call("/v1/refunds", &[("payment_intent", refunded.intent.as_str())])
        .await
        .expect(200);
    let asked = json!({"older_than_seconds": 86400, "undelivered_hours": 1});
    cloud.invoke("payments-reconcile", asked).await;
    refunded.until("open", "refunded").await;
    // Of what is stored already nothing is stored again.
    let events =
        shopper.stripe.events_of(&refunded.intent, &["refund.created", "charge.refunded"]).await;
    handled(
        &shopper.admin,
        &[events[0]["id"].as_str().unwrap(), events[1]["id"].as_str().unwrap()],
    )
    .await;
    assert_eq!(ledger(&refunded.payment().await), [("charge", 1999), ("refund", -1999)]);
    assert_eq!(attention(&shopper.admin, &refunded.order).await, Some(json!(["unfunded"])));
    let nobody = worker(cloud, &[&shopper.category]).await;
    nobody
        .api
        .post(&format!("/orders/{}/accept", refunded.order), json!({}))
        .await
        .problem(409, "order_not_funded");
    for event in [json!({"older_than_seconds": "soon"}), json!(7)] {
        let refused = cloud.try_invoke("payments-reconcile", event).await;
        assert!(refused.header("x-amz-function-error").is_some(), "{:#}", refused.body);
    }
}

#[tokio::test]
async fn a_mismatching_payment_is_found_and_listed_once() {
    let cloud = deaf().await;
    let shopper = Shopper::new(cloud).await;
    let admin = &shopper.admin;
    let checkout = shopper.checkout().await;
    shopper
        .stripe
        .call(&format!("/v1/payment_intents/{}", checkout.intent), &[("amount", "100")])
        .await
        .expect(200);
    checkout.pay("pm_card_visa").await.expect(200);
    let about = async || {
        let mut found = listed(admin, "mismatch").await;
        // Another test has the event itself fetched.
        found.retain(|item| {
            item["order_id"] == checkout.order.as_str() && item["type"] == "finding"
        });
        found
    };
    for _ in 0..2 {
        reconcile(cloud).await;
        let found = about().await;
        assert_eq!((found.len(), &found[0]["reason"]), (1, &json!("amount")));
    }
    assert_eq!(checkout.states().await, ("pending".into(), "unpaid".into()));
    // It can be called off, and nothing is given back that was not paid for it: the administrator
    // sees to that.
    checkout.cancel().await.expect(200);
    reconcile(cloud).await;
    assert_eq!(checkout.states().await, ("canceled".into(), "unpaid".into()));
    assert!(shopper.stripe.refunds_of(&checkout.intent).await.is_empty());
}
