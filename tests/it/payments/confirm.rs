//! `POST /orders/{id}/payment/confirm`.

use serde_json::json;

use crate::support::{
    Shopper, cloud_without_webhooks, deliver_events, ledger, statuses, until_event,
};

#[tokio::test]
async fn a_declined_card_leaves_the_order_payable_with_the_same_intent() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let checkout = shopper.checkout().await;
    for (card, reason) in [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ] {
        let declined = checkout.pay(card).await.expect_status(402);
        assert_eq!(declined["error"]["decline_code"], reason);
        let order = checkout.confirm().await.expect_status(200);
        assert_eq!(statuses(&order), ("pending".into(), "failed".into()), "{card}");
        assert!(order["deadline"].is_string(), "the deadline still applies");
    }
    // The bank asks for authentication, which fails first and succeeds the second time.
    assert_eq!(
        checkout.pay("pm_card_authenticationRequired").await.expect_status(200)["status"],
        "requires_action"
    );
    assert_eq!(
        statuses(&checkout.confirm().await.expect_status(200)),
        ("pending".into(), "requires_action".into())
    );
    shopper.stripe.control(&format!("payment_intents/{}/fail", checkout.intent), json!({})).await;
    assert_eq!(
        statuses(&checkout.confirm().await.expect_status(200)),
        ("pending".into(), "failed".into())
    );
    checkout.pay("pm_card_threeDSecure2Required").await.expect_status(200);
    // This event is outdated by now: the order takes the intent's current state.
    deliver_events(&shopper, &checkout, "payment_intent.payment_failed").await;
    checkout.until_statuses("pending", "requires_action").await;
    shopper
        .stripe
        .control(&format!("payment_intents/{}/succeed", checkout.intent), json!({}))
        .await;
    assert_eq!(
        statuses(&checkout.confirm().await.expect_status(200)),
        ("open".into(), "paid".into())
    );
    assert_eq!(ledger(&checkout.payment().await), [("charge", 1999)]);

    deliver_events(&shopper, &checkout, "payment_intent.payment_failed").await;
    for kind in ["payment_intent.requires_action", "payment_intent.succeeded"] {
        for event in deliver_events(&shopper, &checkout, kind).await {
            until_event(&shopper.admin, "unchanged", event["id"].as_str().unwrap()).await;
        }
    }
    let order = checkout.read().await;
    assert_eq!(statuses(&order), ("open".into(), "paid".into()));
    assert_eq!(shopper.stripe.intents_of(&checkout.order).await.len(), 1);
}
