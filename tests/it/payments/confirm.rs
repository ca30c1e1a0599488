//! `POST /orders/{id}/payment/confirm`.

use serde_json::json;

use super::tell;
use crate::support::{Shopper, filed, ledger, silent, states};

#[tokio::test]
async fn a_declined_card_leaves_the_order_payable_with_the_same_intent() {
    let shopper = Shopper::new(silent().await).await;
    let checkout = shopper.checkout().await;
    for (card, reason) in [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ] {
        let declined = checkout.pay(card).await.expect(402);
        assert_eq!(declined["error"]["decline_code"], reason);
        let order = checkout.confirm().await.expect(200);
        assert_eq!(states(&order), ("pending".into(), "failed".into()), "{card}");
        assert!(order["deadline"].is_string(), "it is not for ever");
    }
    // The bank wants to see the client: refused, and again.
    assert_eq!(
        checkout.pay("pm_card_authenticationRequired").await.expect(200)["status"],
        "requires_action"
    );
    assert_eq!(
        states(&checkout.confirm().await.expect(200)),
        ("pending".into(), "requires_action".into())
    );
    shopper.stripe.control(&format!("payment_intents/{}/fail", checkout.intent), json!({})).await;
    assert_eq!(states(&checkout.confirm().await.expect(200)), ("pending".into(), "failed".into()));
    checkout.pay("pm_card_threeDSecure2Required").await.expect(200);
    // What the webhook says is an old event by now: the order takes what is so, not what was.
    tell(&shopper, &checkout, "payment_intent.payment_failed").await;
    checkout.until("pending", "requires_action").await;
    shopper
        .stripe
        .control(&format!("payment_intents/{}/succeed", checkout.intent), json!({}))
        .await;
    assert_eq!(states(&checkout.confirm().await.expect(200)), ("open".into(), "paid".into()));
    assert_eq!(ledger(&checkout.payment().await), [("charge", 1999)]);

    tell(&shopper, &checkout, "payment_intent.payment_failed").await;
    for kind in ["payment_intent.requires_action", "payment_intent.succeeded"] {
        for event in tell(&shopper, &checkout, kind).await {
            filed(&shopper.admin, "unchanged", event["id"].as_str().unwrap()).await;
        }
    }
    let order = checkout.read().await;
    assert_eq!(states(&order), ("open".into(), "paid".into()));
    assert_eq!(shopper.stripe.intents_of(&checkout.order).await.len(), 1);
}
