//! Refunds: of canceled orders, made by hand, failing, and repeated.

use futures::future::join_all;
use serde_json::json;

use super::{attention, reconcile, reconcile_until, reconciled_cloud, until_attention};
use crate::support::{
    Shopper, cloud_without_webhooks, deliver_events, eventually, ledger, shared_cloud, statuses,
};

#[tokio::test]
async fn a_rejected_refund_is_tried_three_times_and_then_needs_an_administrator() {
    let cloud = reconciled_cloud().await;
    let shopper = Shopper::new(cloud).await;
    let admin = &shopper.admin;
    let checkout = shopper.paid("pm_card_visa").await;
    // Stripe answers like this if the account's balance is too low, and repeats the error for the
    // same idempotency key.
    shopper.stripe.fault("error_400", "/v1/refunds", &checkout.intent, 3).await;
    checkout.cancel().await.expect_status(200);
    // The stream tries once, the reconciler twice. Version 7: placed, payment started, paid,
    // canceled, and three failed refunds.
    let refused = async || {
        reconcile(cloud).await;
        (checkout.read().await["version"].as_u64() >= Some(7)).then_some(())
    };
    eventually("refused three times", refused).await;
    assert_eq!(checkout.statuses().await, ("canceled".into(), "refund_pending".into()));
    assert_eq!(attention(admin, &checkout.order).await, Some(json!(["refund_failed"])));
    reconcile(cloud).await;
    assert_eq!(checkout.read().await["version"], 7, "there is no fourth try");
    assert!(shopper.stripe.refunds_of(&checkout.intent).await.is_empty());
    // The administrator makes the refund in Stripe's dashboard.
    shopper
        .stripe
        .call("/v1/refunds", &[("payment_intent", checkout.intent.as_str())])
        .await
        .expect_status(200);
    reconcile_until(cloud, &checkout, "canceled", "refunded").await;
    assert_eq!(attention(admin, &checkout.order).await, None);

    shopper.user.api.get("/orders?attention=true").await.problem(403, "forbidden");
    admin.api.get("/orders?attention=false").await.problem(422, "validation_failed");
}

#[tokio::test]
async fn refunds_that_fail_later_are_retried_a_bounded_number_of_times() {
    let cloud = shared_cloud();
    let shopper = Shopper::new(cloud).await;
    let admin = &shopper.admin;
    let checkout = shopper.paid("pm_card_refundFail").await;
    checkout.cancel().await.expect_status(200);
    until_attention(admin, &checkout.order, Some(json!(["refund_failed"]))).await;
    assert_eq!(checkout.statuses().await, ("canceled".into(), "refund_pending".into()));
    let payment = checkout.payment().await;
    let (once, refunds) = (("refund", -1999), payment["refunds"].as_array().unwrap());
    let reversal = ("refund_reversal", 1999);
    assert_eq!(
        ledger(&payment),
        [("charge", 1999), once, reversal, once, reversal, once, reversal]
    );
    assert_eq!((refunds.len(), &payment["balance"]["amount"]), (3, &json!(1999)));
    assert!(refunds.iter().all(|refund| refund["status"] == "failed"));
    assert_eq!(shopper.stripe.refunds_of(&checkout.intent).await.len(), 3);
}

#[tokio::test]
async fn concurrent_cancellations_and_lost_responses_make_one_refund() {
    let cloud = cloud_without_webhooks().await;
    let shopper = Shopper::new(cloud).await;
    let shopper = &shopper;
    let attempt = async |fault: &str| {
        let checkout = shopper.paid("pm_card_visa").await;
        if !fault.is_empty() {
            shopper.stripe.fault(fault, "/v1/refunds", &checkout.intent, 1).await;
        }
        let canceled = join_all((0..3).map(|_| checkout.cancel())).await;
        assert_eq!(
            canceled.iter().filter(|answer| answer.status == 200).count(),
            1,
            "one request makes the transition"
        );
        // The stream delivers a record any number of times.
        let record = json!({"Records": [{
            "eventID": "1", "eventName": "MODIFY", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/s",
            "dynamodb": {
                "Keys": {"pk": {"S": format!("ORDER#{}", checkout.order)}, "sk": {"S": "ORDER"}},
                "ApproximateCreationDateTime": 1_795_521_600, "SequenceNumber": "1", "SizeBytes": 1,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }]});
        let invoked =
            join_all((0..3).map(|_| cloud.invoke("payments-apply", record.clone()))).await;
        checkout.until_statuses("canceled", "refunded").await;
        assert_eq!(
            ledger(&checkout.payment().await),
            [("charge", 1999), ("refund", -1999)],
            "{fault} {invoked:?}"
        );
        assert_eq!(shopper.stripe.refunds_of(&checkout.intent).await.len(), 1, "{fault}");
    };
    futures::join!(
        attempt(""),
        attempt("connection_reset_after_acting"),
        attempt("timeout_after_acting"),
        attempt("error_500"),
        attempt("error_500_after_acting"),
    );
}

#[tokio::test]
async fn partial_refunds_made_at_stripe_are_recorded_once_and_never_exceed_the_payment() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let checkout = shopper.paid("pm_card_visa").await;
    for amount in ["500", "1499"] {
        let fields = [("payment_intent", checkout.intent.as_str()), ("amount", amount)];
        shopper.stripe.call("/v1/refunds", &fields).await.expect_status(200);
    }
    for event in deliver_events(&shopper, &checkout, "charge.refunded")
        .await
        .iter()
        .chain(&deliver_events(&shopper, &checkout, "refund.created").await)
    {
        shopper.stripe.deliver(event).await;
    }
    checkout.until_statuses("open", "refunded").await;
    let payment = checkout.payment().await;
    let mut entries = ledger(&payment);
    entries.sort_unstable();
    assert_eq!(entries, [("charge", 1999), ("refund", -1499), ("refund", -500)]);
    assert_eq!(payment["balance"]["amount"], 0);
    // Canceling the order has nothing left to refund.
    assert_eq!(
        statuses(&checkout.cancel().await.expect_status(200)),
        ("canceled".into(), "refunded".into())
    );
    assert_eq!(shopper.stripe.refunds_of(&checkout.intent).await.len(), 2);
}
