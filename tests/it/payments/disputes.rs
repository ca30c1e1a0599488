//! Chargebacks.

use serde_json::json;

use super::{attention, until_attention};
use crate::support::{Checkout, Shopper, User, eventually, ledger, new_worker, shared_cloud};

#[tokio::test]
async fn a_chargeback_flags_the_order_notifies_administrators_and_withholds_the_money() {
    let cloud = shared_cloud();
    let shopper = Shopper::new(cloud).await;
    let admin = &shopper.admin;
    let (won, lost) = (shopper.paid("pm_card_visa").await, shopper.paid("pm_card_visa").await);
    let late = new_worker(cloud, &[&shopper.category]).await;
    let open = async |checkout: &Checkout| {
        let dispute =
            shopper.stripe.control("disputes", json!({"payment_intent": checkout.intent})).await;
        until_attention(admin, &checkout.order, Some(json!(["chargeback_open", "unfunded"]))).await;
        dispute["id"].as_str().unwrap().to_owned()
    };
    let dispute = open(&won).await;
    assert_eq!(ledger(&won.payment().await), [("charge", 1999), ("chargeback", -1999)]);
    late.api
        .post(&format!("/orders/{}/accept", won.order), json!({}))
        .await
        .problem(409, "order_not_funded");
    until_notified(admin, "payment.disputed", &won.order).await;
    shopper.stripe.control(&format!("disputes/{dispute}/close"), json!({"status": "won"})).await;
    until_attention(admin, &won.order, None).await;
    until_notified(admin, "payment.dispute_closed", &won.order).await;
    assert_eq!(won.payment().await["balance"]["amount"], 1999);
    late.api.post(&format!("/orders/{}/accept", won.order), json!({})).await.expect_status(200);

    let dispute = open(&lost).await;
    // The client takes the money back at the bank, and also cancels the order to get a refund.
    lost.cancel().await.expect_status(200);
    assert_eq!(
        lost.statuses().await,
        ("canceled".into(), "refund_pending".into()),
        "the refund waits for the bank's decision"
    );
    shopper.stripe.control(&format!("disputes/{dispute}/close"), json!({"status": "lost"})).await;
    lost.until_statuses("canceled", "refunded").await;
    assert_eq!(ledger(&lost.payment().await), [("charge", 1999), ("chargeback", -1999)]);
    assert!(
        shopper.stripe.refunds_of(&lost.intent).await.is_empty(),
        "the money is not returned twice"
    );
    assert_eq!(attention(admin, &lost.order).await, None);
}

/// Waits until the administrators' feed has an entry of this type about this order.
async fn until_notified(admin: &User, kind: &str, order: &str) {
    let find = async || {
        let mut after = 0;
        loop {
            let feed = admin
                .api
                .get(&format!("/live/feed?feed=role:admins&after={after}"))
                .await
                .ok_unless_unavailable()?;
            let items = feed["items"].as_array().expect("items");
            if items.iter().any(|entry| entry["type"] == kind && entry["data"]["id"] == order) {
                return Some(());
            }
            after = items.last()?["seq"].as_u64().expect("a number");
        }
    };
    eventually(&format!("the administrators' feed has {kind} of {order}"), find).await;
}
