//! Money on its way back, what the reconciler heals, and what ends with an administrator.

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::payments::{handled, listed, silent, tell};
use crate::support::{
    Checkout, Cloud, Shopper, Stripe, User, cloud, eventually, ledger, states, worker,
};

/// A cloud in which webhooks never come, and the reconciler runs as often as a test likes.
async fn deaf() -> &'static Cloud {
    static CLOUD: OnceCell<Cloud> = OnceCell::const_new();
    let start = async || {
        let cloud = Cloud::start("deaf", &["--ephemeral"]);
        Stripe::of(&cloud).control("webhooks", json!({"mode": "drop"})).await;
        cloud
    };
    CLOUD.get_or_init(start).await
}

/// One run that looks at everything but events that did not reach us.
async fn reconcile(cloud: &Cloud) -> Value {
    cloud
        .invoke("payments-reconcile", json!({"older_than_seconds": 0, "undelivered_hours": 0}))
        .await
}

/// Runs until the order is in these states: on a busy machine something may fail in a run, and the
/// next one does it.
async fn healed(cloud: &Cloud, checkout: &Checkout, status: &str, payment_status: &str) {
    let wanted = (status.to_owned(), payment_status.to_owned());
    let run = async || {
        reconcile(cloud).await;
        (checkout.states().await == wanted).then_some(())
    };
    eventually(&format!("{} is {wanted:?}", checkout.order), run).await;
}

/// Why an administrator should look at this order, as their list has it; `None` when it is not
/// there.
async fn attention(admin: &User, order: &str) -> Option<Value> {
    let mut path = "/orders?attention=true&limit=100".to_owned();
    loop {
        let page = eventually("a page", async || admin.api.get(&path).await.unless_busy()).await;
        if let Some(found) =
            page["items"].as_array().unwrap().iter().find(|item| item["id"] == order)
        {
            return Some(found["attention"].clone());
        }
        let cursor = page["next_cursor"].as_str()?;
        path = format!("/orders?attention=true&limit=100&cursor={cursor}");
    }
}

/// Waits until the list says this.
async fn until_attention(admin: &User, order: &str, expected: Option<Value>) {
    let what = format!("{order}: {expected:?}");
    eventually(&what, async || (attention(admin, order).await == expected).then_some(())).await;
}

#[tokio::test]
async fn when_no_webhook_ever_comes_the_reconciler_finds_what_was_paid_and_what_went_back() {
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
async fn events_that_stripe_could_not_deliver_are_fetched_and_applied() {
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
async fn a_refund_that_stripe_refuses_is_tried_three_times_and_then_an_administrators() {
    let cloud = deaf().await;
    let shopper = Shopper::new(cloud).await;
    let admin = &shopper.admin;
    let checkout = shopper.paid("pm_card_visa").await;
    // The account's balance does not suffice; Stripe keeps a refusal under its key.
    shopper.stripe.fault("error_400", "/v1/refunds", &checkout.intent, 3).await;
    checkout.cancel().await.expect(200);
    // Once by the stream, then by the reconciler: placed, payment started, paid, called off, and
    // refused three times.
    let refused = async || {
        reconcile(cloud).await;
        (checkout.read().await["version"].as_u64() >= Some(7)).then_some(())
    };
    eventually("refused three times", refused).await;
    assert_eq!(checkout.states().await, ("canceled".into(), "refund_pending".into()));
    assert_eq!(attention(admin, &checkout.order).await, Some(json!(["refund_failed"])));
    reconcile(cloud).await;
    assert_eq!(checkout.read().await["version"], 7, "and no more");
    assert!(shopper.stripe.refunds_of(&checkout.intent).await.is_empty());
    // The administrator finds another way, which here is Stripe's dashboard.
    shopper
        .stripe
        .call("/v1/refunds", &[("payment_intent", checkout.intent.as_str())])
        .await
        .expect(200);
    healed(cloud, &checkout, "canceled", "refunded").await;
    assert_eq!(attention(admin, &checkout.order).await, None);

    shopper.user.api.get("/orders?attention=true").await.problem(403, "forbidden");
    admin.api.get("/orders?attention=false").await.problem(422, "validation_failed");
}

#[tokio::test]
async fn refunds_that_fail_later_are_tried_again_a_bounded_number_of_times() {
    let cloud = cloud();
    let shopper = Shopper::new(cloud).await;
    let admin = &shopper.admin;
    let checkout = shopper.paid("pm_card_refundFail").await;
    checkout.cancel().await.expect(200);
    until_attention(admin, &checkout.order, Some(json!(["refund_failed"]))).await;
    assert_eq!(checkout.states().await, ("canceled".into(), "refund_pending".into()));
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
async fn of_refunds_at_once_and_of_answers_that_are_lost_one_refund_is_made() {
    let cloud = silent().await;
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
            "one of them moves it"
        );
        // The stream says the same as often as it likes.
        let record = json!({"Records": [{
            "eventID": "1", "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/s",
            "dynamodb": {
                "Keys": {"pk": {"S": format!("ORDER#{}", checkout.order)}, "sk": {"S": "ORDER"}},
                "ApproximateCreationDateTime": 1_795_521_600, "SequenceNumber": "1", "SizeBytes": 1, "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }]});
        let invoked =
            join_all((0..3).map(|_| cloud.invoke("payments-apply", record.clone()))).await;
        checkout.until("canceled", "refunded").await;
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
async fn a_dispute_flags_its_order_tells_the_administrators_and_takes_the_money_until_it_is_won() {
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

#[tokio::test]
async fn a_payment_that_does_not_fit_is_found_by_asking_too_and_is_filed_once() {
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

#[tokio::test]
async fn nothing_that_is_secret_is_in_the_log() {
    let cloud = Cloud::start("canary", &["--ephemeral"]);
    let shopper = Shopper::new(&cloud).await;
    let declined = shopper.checkout().await;
    declined.pay("pm_card_chargeDeclinedInsufficientFunds").await.expect(402);
    declined.until("pending", "failed").await;
    let paid = shopper.paid("pm_card_visa").await;
    paid.cancel().await.expect(200);
    paid.until("canceled", "refunded").await;
    shopper.stripe.post("t=1,v1=00", b"{}").await.problem(400, "invalid_signature");
    let payment = shopper
        .user
        .api
        .post(&format!("/orders/{}/payment", paid.order), json!({}))
        .await
        .expect(200);
    let log = std::fs::read_to_string(crate::support::workspace().join("target/tests/canary.log"))
        .unwrap();
    assert!(log.contains(&paid.intent), "the log is of this cloud");
    let secrets = [
        shopper.stripe.secret(),
        payment["client_secret"].as_str().unwrap(),
        "sk_test_",
        "_secret_",
        "insufficient funds.",
        &shopper.user.password,
        &shopper.user.refresh_token,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "the log has {secret:?}");
    }
    assert_eq!(states(&paid.read().await), ("canceled".into(), "refunded".into()));
}

#[tokio::test]
async fn a_refund_by_hand_at_stripe_is_entered_once_in_parts_and_never_beyond_what_was_paid() {
    let shopper = Shopper::new(silent().await).await;
    let checkout = shopper.paid("pm_card_visa").await;
    for amount in ["500", "1499"] {
        let fields = [("payment_intent", checkout.intent.as_str()), ("amount", amount)];
        shopper.stripe.call("/v1/refunds", &fields).await.expect(200);
    }
    for event in tell(&shopper, &checkout, "charge.refunded")
        .await
        .iter()
        .chain(&tell(&shopper, &checkout, "refund.created").await)
    {
        shopper.stripe.deliver(event).await;
    }
    checkout.until("open", "refunded").await;
    let payment = checkout.payment().await;
    let mut entries = ledger(&payment);
    entries.sort_unstable();
    assert_eq!(entries, [("charge", 1999), ("refund", -1499), ("refund", -500)]);
    assert_eq!(payment["balance"]["amount"], 0);
    // Called off, there is nothing left to give back.
    assert_eq!(
        states(&checkout.cancel().await.expect(200)),
        ("canceled".into(), "refunded".into())
    );
    assert_eq!(shopper.stripe.refunds_of(&checkout.intent).await.len(), 2);
}
