//! Chargebacks.

use serde_json::json;

use super::{attention, until_attention};
use crate::support::{Checkout, Shopper, User, cloud, eventually, ledger, worker};

#[tokio::test]
async fn a_chargeback_flags_the_order_notifies_administrators_and_withholds_the_money() {
    let cloud = cloud();
    let shopper = Shopper::new(cloud).await;
    let admin = &shopper.admin;
    let (won, lost) = (shopper.paid("pm_card_visa").await, shopper.paid("pm_card_visa").await);
    let late = worker(cloud, &[&shopper.category]).await;
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
    until_told(admin, "payment.disputed", &won.order).await;
    shopper.stripe.control(&format!("disputes/{dispute}/close"), json!({"status": "won"})).await;
    until_attention(admin, &won.order, None).await;
    until_told(admin, "payment.dispute_closed", &won.order).await;
    assert_eq!(won.payment().await["balance"]["amount"], 1999);
    late.api.post(&format!("/orders/{}/accept", won.order), json!({})).await.expect(200);

    let dispute = open(&lost).await;
    // Its client takes the money back at the bank, and would have it from us, too.
    lost.cancel().await.expect(200);
    assert_eq!(
        lost.states().await,
        ("canceled".into(), "refund_pending".into()),
        "the bank decides"
    );
    shopper.stripe.control(&format!("disputes/{dispute}/close"), json!({"status": "lost"})).await;
    lost.until("canceled", "refunded").await;
    assert_eq!(ledger(&lost.payment().await), [("charge", 1999), ("chargeback", -1999)]);
    assert!(shopper.stripe.refunds_of(&lost.intent).await.is_empty(), "not twice");
    assert_eq!(attention(admin, &lost.order).await, None);
}

/// Waits until the administrators' feed has an entry of this type about this order.
async fn until_told(admin: &User, kind: &str, order: &str) {
    let find = async || {
        let mut after = 0;
        loop {
            let feed = admin
                .api
                .get(&format!("/live/feed?feed=role:admins&after={after}"))
                .await
                .unless_busy()?;
            let items = feed["items"].as_array().expect("items");
            if items.iter().any(|entry| entry["type"] == kind && entry["data"]["id"] == order) {
                return Some(());
            }
            after = items.last()?["seq"].as_u64().expect("a number");
        }
    };
    eventually(&format!("the administrators are told of {kind} of {order}"), find).await;
}
