//! The `payments-apply` function, which applies stored events to orders.

use serde_json::{Value, json};

use crate::support::{
    Checkout, Shopper, cloud_without_webhooks, deliver_events, eventually, ledger, statuses,
    until_event,
};

#[tokio::test]
async fn a_slow_bank_transfer_keeps_the_order_pending_and_is_refunded_after_a_cancellation() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let (kept, refused, called_off) =
        (shopper.checkout().await, shopper.checkout().await, shopper.checkout().await);
    for checkout in [&kept, &refused, &called_off] {
        assert_eq!(
            checkout.pay("pm_usBankAccount_processing").await.expect_status(200)["status"],
            "processing"
        );
        deliver_events(&shopper, checkout, "payment_intent.processing").await;
        let order = checkout.until_statuses("pending", "processing").await;
        assert_eq!(
            order["deadline"],
            Value::Null,
            "the deadline is suspended while the bank processes the payment"
        );
    }
    // An intent in status `processing` can't be canceled, but its order can.
    assert_eq!(
        statuses(&called_off.cancel().await.expect_status(200)),
        ("canceled".into(), "unpaid".into())
    );
    for (checkout, end) in [(&kept, "succeed"), (&refused, "fail"), (&called_off, "succeed")] {
        shopper
            .stripe
            .control(&format!("payment_intents/{}/{end}", checkout.intent), json!({}))
            .await;
    }
    deliver_events(&shopper, &kept, "payment_intent.succeeded").await;
    deliver_events(&shopper, &refused, "payment_intent.payment_failed").await;
    deliver_events(&shopper, &called_off, "payment_intent.succeeded").await;
    kept.until_statuses("open", "paid").await;
    assert!(
        refused.until_statuses("pending", "failed").await["deadline"].is_string(),
        "the deadline applies again"
    );
    called_off.until_statuses("canceled", "refunded").await;
    let payment = called_off.payment().await;
    assert_eq!(ledger(&payment), [("charge", 1999), ("refund", -1999)]);
    assert_eq!(
        (&payment["balance"]["amount"], &payment["refunds"][0]["status"]),
        (&json!(0), &json!("succeeded"))
    );
    assert_eq!(shopper.stripe.refunds_of(&called_off.intent).await.len(), 1);
}

#[tokio::test]
async fn a_webhook_that_overtakes_the_response_of_its_own_request_is_applied() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let order = shopper.order().await;
    let slow = json!({
        "fault": "slow_response", "delay_ms": 4000, "method": "POST",
        "path": "/v1/payment_intents", "containing": order,
    });
    shopper.stripe.control("faults", slow).await;
    let (api, path) = (shopper.user.api.clone(), format!("/orders/{order}/payment"));
    let creating = tokio::spawn(async move { api.post(&path, json!({})).await });
    let intent_made = async || shopper.stripe.intents_of(&order).await.into_iter().next();
    let intent =
        eventually("the intent is made", intent_made).await["id"].as_str().unwrap().to_owned();
    shopper
        .stripe
        .call(
            &format!("/v1/payment_intents/{intent}/confirm"),
            &[("payment_method", "pm_card_visa")],
        )
        .await
        .expect_status(200);
    let event = &shopper.stripe.events_of(&intent, &["payment_intent.succeeded"]).await[0];
    shopper.stripe.deliver(event).await;
    until_event(&shopper.admin, "applied", event["id"].as_str().unwrap()).await;
    let payment = creating.await.unwrap().expect_status(200);
    assert_eq!(payment["payment_intent_id"], intent.as_str());
    let checkout = Checkout::new(&shopper, order, &payment);
    assert_eq!(checkout.statuses().await, ("open".into(), "paid".into()));
    assert_eq!(shopper.stripe.intents_of(&checkout.order).await.len(), 1);
}

#[tokio::test]
async fn a_mismatching_intent_never_changes_an_order_and_is_listed() {
    let cloud = cloud_without_webhooks().await;
    let shopper = Shopper::new(cloud).await;
    let stripe = &shopper.stripe;
    // The order's own intent was changed at Stripe.
    for (change, reason) in [([("amount", "1998")], "amount"), ([("currency", "eur")], "currency")]
    {
        let checkout = shopper.checkout().await;
        stripe
            .call(&format!("/v1/payment_intents/{}", checkout.intent), &change)
            .await
            .expect_status(200);
        checkout.pay("pm_card_visa").await.expect_status(200);
        checkout.confirm().await.problem(409, "payment_mismatch");
        for event in deliver_events(&shopper, &checkout, "payment_intent.succeeded").await {
            let listed =
                until_event(&shopper.admin, "mismatch", event["id"].as_str().unwrap()).await;
            assert_eq!(
                (&listed["reason"], &listed["order_id"]),
                (&json!(reason), &json!(checkout.order))
            );
        }
        assert_eq!(checkout.statuses().await, ("pending".into(), "unpaid".into()), "{reason}");
        assert_eq!(ledger(&checkout.payment().await), []);
    }
    // Somebody else created intents that name an order with an intent, an order without one, an
    // unknown order, and no order.
    let (bound, unbound) = (shopper.checkout().await, shopper.order().await);
    let unknown = format!("ord_{}", "0".repeat(26));
    for (order, amount, state, reason) in [
        (bound.order.as_str(), "1999", "mismatch", "intent"),
        (&unbound, "1", "mismatch", "amount"),
        (&unknown, "1999", "mismatch", "no_such_order"),
        ("' OR 1=1 --#", "1999", "ignored", "no_order_named"),
    ] {
        let fields = [
            ("amount", if amount == "1" { "100" } else { amount }),
            ("currency", "usd"),
            ("metadata[order_id]", order),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("automatic_payment_methods[enabled]", "true"),
            ("automatic_payment_methods[allow_redirects]", "never"),
        ];
        let intent = stripe.call("/v1/payment_intents", &fields).await.expect_status(200);
        let event = &stripe
            .events_of(intent["id"].as_str().unwrap(), &["payment_intent.succeeded"])
            .await[0];
        stripe.deliver(event).await;
        assert_eq!(
            until_event(&shopper.admin, state, event["id"].as_str().unwrap()).await["reason"],
            reason,
            "{order}"
        );
    }
    assert_eq!(bound.statuses().await, ("pending".into(), "unpaid".into()));
    let untouched = shopper.user.api.get(&format!("/orders/{unbound}")).await.expect_status(200);
    assert_eq!((&untouched["status"], &untouched["version"]), (&json!("pending"), &json!(1)));
    // An intent pays only its own order, even if another order costs the same.
    let other = shopper.checkout().await;
    other.pay("pm_card_visa").await.expect_status(200);
    deliver_events(&shopper, &other, "payment_intent.succeeded").await;
    other.until_statuses("open", "paid").await;
    assert_eq!(bound.statuses().await, ("pending".into(), "unpaid".into()));
}
