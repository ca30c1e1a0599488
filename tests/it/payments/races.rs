//! Concurrent confirmations, cancellations and webhooks.

use futures::future::join_all;
use serde_json::json;

use crate::support::{Shopper, cloud_without_webhooks, ledger};

#[tokio::test]
async fn concurrent_confirm_cancel_and_webhook_end_in_one_payment_or_none() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let shopper = &shopper;
    let race = async || {
        let checkout = shopper.checkout().await;
        checkout.pay("pm_card_visa").await.expect_status(200);
        let event =
            &shopper.stripe.events_of(&checkout.intent, &["payment_intent.succeeded"]).await[0];
        let (confirmed, canceled, again, ()) = futures::join!(
            checkout.confirm(),
            checkout.cancel(),
            checkout.cancel(),
            shopper.stripe.deliver(event)
        );
        confirmed.expect_status(200);
        let done = [canceled, again].into_iter().filter(|answer| answer.status == 200).count();
        assert!(done >= 1, "a client may cancel before work begins");
        checkout.until_statuses("canceled", "refunded").await;
        assert_eq!(ledger(&checkout.payment().await), [("charge", 1999), ("refund", -1999)]);
        let refunds = shopper.stripe.refunds_of(&checkout.intent).await;
        assert_eq!((refunds.len(), &refunds[0]["amount"]), (1, &json!(1999)));
    };
    join_all((0..6).map(|_| race())).await;
    // The card is charged during the cancellation: either the intent is canceled first, or the
    // payment is refunded.
    let close = async || {
        let checkout = shopper.checkout().await;
        let (paid, canceled) = futures::join!(checkout.pay("pm_card_visa"), checkout.cancel());
        canceled.expect_status(200);
        match paid.status.as_u16() {
            200 => drop(checkout.until_statuses("canceled", "refunded").await),
            _ => assert_eq!(checkout.statuses().await, ("canceled".into(), "unpaid".into())),
        }
        assert_eq!(checkout.payment().await["balance"]["amount"], 0);
    };
    join_all((0..6).map(|_| close())).await;
}
