//! Paying: one intent an order, declines, banks that take their time, and Stripe failing in every
//! way it can.
//!
//! Most of it in a cloud whose stand-in sends no webhooks by itself: each test says when which
//! event comes.

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::support::{
    Checkout, Cloud, Shopper, Stripe, User, cloud, eventually, ledger, states, worker,
};

/// A cloud where nothing is heard of Stripe unless a test delivers it.
pub async fn silent() -> &'static Cloud {
    static CLOUD: OnceCell<Cloud> = OnceCell::const_new();
    let start = async || {
        let cloud = Cloud::start("silent", &["--ephemeral"]);
        Stripe::of(&cloud).control("webhooks", json!({"mode": "drop"})).await;
        cloud
    };
    CLOUD.get_or_init(start).await
}

/// The webhook events of one type about this payment, delivered.
pub async fn tell(shopper: &Shopper, checkout: &Checkout, kind: &str) -> Vec<Value> {
    let events = shopper.stripe.events_of(&checkout.intent, &[kind]).await;
    assert!(!events.is_empty(), "Stripe has no {kind}");
    for event in &events {
        shopper.stripe.deliver(event).await;
    }
    events
}

fn ids(answers: &[Value]) -> Vec<&str> {
    let mut ids: Vec<_> =
        answers.iter().map(|answer| answer["payment_intent_id"].as_str().unwrap()).collect();
    ids.dedup();
    ids
}

#[tokio::test]
async fn an_order_has_one_intent_at_its_own_price_however_often_it_is_asked_for() {
    let shopper = Shopper::new(silent().await).await;
    let order = shopper.order().await;
    let path = format!("/orders/{order}/payment");
    let api = &shopper.user.api;
    for body in
        [json!({"amount": 1}), json!({"currency": "eur"}), json!({"payment_intent_id": "pi_1"})]
    {
        api.post(&path, body).await.problem(422, "validation_failed");
    }
    api.post(&format!("{path}/confirm"), json!({})).await.problem(409, "no_payment_yet");
    let asked = join_all((0..8).map(|_| api.post(&path, json!({})))).await;
    let asked: Vec<_> = asked.into_iter().map(|answer| answer.expect(200)).collect();
    assert_eq!(ids(&asked).len(), 1, "{asked:#?}");
    assert_eq!((&asked[0]["amount"], &asked[0]["currency"]), (&json!(1999), &json!("usd")));
    let made = shopper.stripe.intents_of(&order).await;
    assert_eq!(
        (made.len(), &made[0]["amount"], &made[0]["currency"]),
        (1, &json!(1999), &json!("usd"))
    );

    let checkout = Checkout::new(&shopper, order.clone(), &asked[0]);
    assert_eq!(states(&checkout.cancel().await.expect(200)), ("canceled".into(), "unpaid".into()));
    let after = api.post(&path, json!({})).await.expect(200);
    assert_eq!(
        (&after["payment_intent_id"], &after["status"]),
        (&asked[0]["payment_intent_id"], &json!("canceled"))
    );
    checkout.pay("pm_card_visa").await.expect(400);
    assert_eq!(shopper.stripe.intents_of(&order).await.len(), 1);

    let without = shopper.order().await;
    api.post(&format!("/orders/{without}/payment/cancel"), json!({})).await.expect(200);
    api.post(&format!("/orders/{without}/payment"), json!({}))
        .await
        .problem(409, "order_not_payable");
    assert!(shopper.stripe.intents_of(&without).await.is_empty());
}

#[tokio::test]
async fn when_stripe_has_forgotten_the_idempotency_key_the_order_keeps_its_intent() {
    let shopper = Shopper::new(silent().await).await;
    let (bound, order) = (shopper.checkout().await, shopper.order().await);
    // Made at Stripe, and never heard of: the answer was lost as often as it was asked for.
    shopper.stripe.fault("connection_reset_after_acting", "/v1/payment_intents", &order, 6).await;
    let path = format!("/orders/{order}/payment");
    let lost = shopper.user.api.post(&path, json!({})).await;
    assert!(lost.header("retry-after").is_some());
    let problem = lost.problem(503, "payments_unavailable");
    assert!(!problem.to_string().to_lowercase().contains("reset"), "{problem:#}");
    shopper.stripe.forget_idempotency_keys().await;

    let again = shopper
        .user
        .api
        .post(&format!("/orders/{}/payment", bound.order), json!({}))
        .await
        .expect(200);
    assert_eq!(again["payment_intent_id"], bound.intent.as_str());
    assert_eq!(shopper.stripe.intents_of(&bound.order).await.len(), 1);

    let found = shopper.user.api.post(&path, json!({})).await.expect(200);
    let made = shopper.stripe.intents_of(&order).await;
    assert_eq!(made.len(), 2, "the one that nobody heard of, and the order's");
    let lost = made.iter().find(|intent| intent["id"] != found["payment_intent_id"]).unwrap();
    // Whoever pays the lost one (someone at the dashboard could) does not pay for the order: it is
    // for an administrator.
    let lost = lost["id"].as_str().unwrap();
    shopper
        .stripe
        .call(&format!("/v1/payment_intents/{lost}/confirm"), &[("payment_method", "pm_card_visa")])
        .await
        .expect(200);
    let event = &shopper.stripe.events_of(lost, &["payment_intent.succeeded"]).await[0];
    shopper.stripe.deliver(event).await;
    let filed = filed(&shopper.admin, "mismatch", event["id"].as_str().unwrap()).await;
    assert_eq!((&filed["reason"], &filed["order_id"]), (&json!("intent"), &json!(order)));
    let checkout = Checkout::new(&shopper, order, &found);
    assert_eq!(checkout.states().await, ("pending".into(), "unpaid".into()));
    checkout.pay("pm_card_visa").await.expect(200);
    assert_eq!(states(&checkout.confirm().await.expect(200)), ("open".into(), "paid".into()));
}

/// All events that are in an administrator's list of this state, newest first.
pub async fn listed(admin: &User, state: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/webhooks/stripe/events?state={state}&limit=100{cursor}");
        let page = eventually("a page", async || admin.api.get(&path).await.unless_busy()).await;
        found.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Waits until an event is in the list of this state.
pub async fn filed(admin: &User, state: &str, event: &str) -> Value {
    let find = async || listed(admin, state).await.into_iter().find(|item| item["id"] == event);
    eventually(&format!("{event} is {state}"), find).await
}

/// Waits until something was done about all of these events.
pub async fn handled(admin: &User, ids: &[&str]) {
    eventually(&format!("{ids:?} are handled"), async || {
        let pending = listed(admin, "pending").await;
        let waits = pending.iter().any(|event| ids.contains(&event["id"].as_str().expect("an id")));
        (!waits).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_lost_late_or_a_500_makes_no_second_payment() {
    let shopper = Shopper::new(silent().await).await;
    let shopper = &shopper;
    let attempt = async |fault: &str, intents: usize| {
        let order = shopper.order().await;
        shopper.stripe.fault(fault, "/v1/payment_intents", &order, 1).await;
        let payment =
            shopper.user.api.post(&format!("/orders/{order}/payment"), json!({})).await.expect(200);
        assert_eq!(shopper.stripe.intents_of(&order).await.len(), intents, "{fault}");
        let checkout = Checkout::new(shopper, order, &payment);
        checkout.pay("pm_card_visa").await.expect(200);
        checkout.confirm().await.expect(200);
        assert_eq!(ledger(&checkout.payment().await), [("charge", 1999)], "{fault}");
    };
    futures::join!(
        attempt("connection_reset", 1),
        attempt("connection_reset_after_acting", 1),
        attempt("timeout_after_acting", 1),
        attempt("error_429", 1),
        attempt("error_500", 1),
        // Stripe repeats its failure under the key for a day. The intent that it made is not told
        // to anybody, and so never paid.
        attempt("error_500_after_acting", 2),
    );
}

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

#[tokio::test]
async fn while_the_bank_takes_its_time_the_order_waits_and_if_it_was_called_off_the_money_goes_back()
 {
    let shopper = Shopper::new(silent().await).await;
    let (kept, refused, called_off) =
        (shopper.checkout().await, shopper.checkout().await, shopper.checkout().await);
    for checkout in [&kept, &refused, &called_off] {
        assert_eq!(
            checkout.pay("pm_usBankAccount_processing").await.expect(200)["status"],
            "processing"
        );
        tell(&shopper, checkout, "payment_intent.processing").await;
        let order = checkout.until("pending", "processing").await;
        assert_eq!(order["deadline"], Value::Null, "nobody can hurry a bank");
    }
    // An intent that is processing can't be canceled. The order can.
    assert_eq!(
        states(&called_off.cancel().await.expect(200)),
        ("canceled".into(), "unpaid".into())
    );
    for (checkout, end) in [(&kept, "succeed"), (&refused, "fail"), (&called_off, "succeed")] {
        shopper
            .stripe
            .control(&format!("payment_intents/{}/{end}", checkout.intent), json!({}))
            .await;
    }
    tell(&shopper, &kept, "payment_intent.succeeded").await;
    tell(&shopper, &refused, "payment_intent.payment_failed").await;
    tell(&shopper, &called_off, "payment_intent.succeeded").await;
    kept.until("open", "paid").await;
    assert!(
        refused.until("pending", "failed").await["deadline"].is_string(),
        "the clock runs again"
    );
    called_off.until("canceled", "refunded").await;
    let payment = called_off.payment().await;
    assert_eq!(ledger(&payment), [("charge", 1999), ("refund", -1999)]);
    assert_eq!(
        (&payment["balance"]["amount"], &payment["refunds"][0]["status"]),
        (&json!(0), &json!("succeeded"))
    );
    assert_eq!(shopper.stripe.refunds_of(&called_off.intent).await.len(), 1);
}

#[tokio::test]
async fn a_webhook_that_is_faster_than_the_answer_to_the_call_it_is_about_is_believed() {
    let shopper = Shopper::new(silent().await).await;
    let order = shopper.order().await;
    let slow = json!({"fault": "slow_response", "delay_ms": 4000, "method": "POST", "path": "/v1/payment_intents", "containing": order});
    shopper.stripe.control("faults", slow).await;
    let (api, path) = (shopper.user.api.clone(), format!("/orders/{order}/payment"));
    let creating = tokio::spawn(async move { api.post(&path, json!({})).await });
    let made = async || shopper.stripe.intents_of(&order).await.into_iter().next();
    let intent = eventually("the intent is made", made).await["id"].as_str().unwrap().to_owned();
    shopper
        .stripe
        .call(
            &format!("/v1/payment_intents/{intent}/confirm"),
            &[("payment_method", "pm_card_visa")],
        )
        .await
        .expect(200);
    let event = &shopper.stripe.events_of(&intent, &["payment_intent.succeeded"]).await[0];
    shopper.stripe.deliver(event).await;
    filed(&shopper.admin, "applied", event["id"].as_str().unwrap()).await;
    let payment = creating.await.unwrap().expect(200);
    assert_eq!(payment["payment_intent_id"], intent.as_str());
    let checkout = Checkout::new(&shopper, order, &payment);
    assert_eq!(checkout.states().await, ("open".into(), "paid".into()));
    assert_eq!(shopper.stripe.intents_of(&checkout.order).await.len(), 1);
}

#[tokio::test]
async fn an_intent_that_does_not_fit_never_moves_an_order_and_is_on_an_administrators_list() {
    let cloud = silent().await;
    let shopper = Shopper::new(cloud).await;
    let stripe = &shopper.stripe;
    // The order's own intent, changed at Stripe behind our back.
    for (change, reason) in [([("amount", "1998")], "amount"), ([("currency", "eur")], "currency")]
    {
        let checkout = shopper.checkout().await;
        stripe.call(&format!("/v1/payment_intents/{}", checkout.intent), &change).await.expect(200);
        checkout.pay("pm_card_visa").await.expect(200);
        checkout.confirm().await.problem(409, "payment_mismatch");
        for event in tell(&shopper, &checkout, "payment_intent.succeeded").await {
            let filed = filed(&shopper.admin, "mismatch", event["id"].as_str().unwrap()).await;
            assert_eq!(
                (&filed["reason"], &filed["order_id"]),
                (&json!(reason), &json!(checkout.order))
            );
        }
        assert_eq!(checkout.states().await, ("pending".into(), "unpaid".into()), "{reason}");
        assert_eq!(ledger(&checkout.payment().await), []);
    }
    // Intents that were made by someone else, and name an order that has one, an order that has
    // none, no order of ours, and none at all.
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
        let intent = stripe.call("/v1/payment_intents", &fields).await.expect(200);
        let event = &stripe
            .events_of(intent["id"].as_str().unwrap(), &["payment_intent.succeeded"])
            .await[0];
        stripe.deliver(event).await;
        assert_eq!(
            filed(&shopper.admin, state, event["id"].as_str().unwrap()).await["reason"],
            reason,
            "{order}"
        );
    }
    assert_eq!(bound.states().await, ("pending".into(), "unpaid".into()));
    let untouched = shopper.user.api.get(&format!("/orders/{unbound}")).await.expect(200);
    assert_eq!((&untouched["status"], &untouched["version"]), (&json!("pending"), &json!(1)));
    // The intent of an order is no good for another one, although both cost the same.
    let other = shopper.checkout().await;
    other.pay("pm_card_visa").await.expect(200);
    tell(&shopper, &other, "payment_intent.succeeded").await;
    other.until("open", "paid").await;
    assert_eq!(bound.states().await, ("pending".into(), "unpaid".into()));
}

#[tokio::test]
async fn confirm_cancel_and_webhook_at_once_end_in_one_payment_or_in_none() {
    let shopper = Shopper::new(silent().await).await;
    let shopper = &shopper;
    let race = async || {
        let checkout = shopper.checkout().await;
        checkout.pay("pm_card_visa").await.expect(200);
        let event =
            &shopper.stripe.events_of(&checkout.intent, &["payment_intent.succeeded"]).await[0];
        let (confirmed, canceled, again, ()) = futures::join!(
            checkout.confirm(),
            checkout.cancel(),
            checkout.cancel(),
            shopper.stripe.deliver(event)
        );
        confirmed.expect(200);
        let done = [canceled, again].into_iter().filter(|answer| answer.status == 200).count();
        assert!(done >= 1, "a client may cancel before work begins");
        checkout.until("canceled", "refunded").await;
        assert_eq!(ledger(&checkout.payment().await), [("charge", 1999), ("refund", -1999)]);
        let refunds = shopper.stripe.refunds_of(&checkout.intent).await;
        assert_eq!((refunds.len(), &refunds[0]["amount"]), (1, &json!(1999)));
    };
    join_all((0..6).map(|_| race())).await;
    // The card is charged while the cancellation is under way: the intent is gone, or the money
    // comes back.
    let close = async || {
        let checkout = shopper.checkout().await;
        let (paid, canceled) = futures::join!(checkout.pay("pm_card_visa"), checkout.cancel());
        canceled.expect(200);
        match paid.status.as_u16() {
            200 => drop(checkout.until("canceled", "refunded").await),
            _ => assert_eq!(checkout.states().await, ("canceled".into(), "unpaid".into())),
        }
        assert_eq!(checkout.payment().await["balance"]["amount"], 0);
    };
    join_all((0..6).map(|_| close())).await;
}

#[tokio::test]
async fn a_cancellation_that_is_repeated_with_its_key_is_one() {
    let shopper = Shopper::new(silent().await).await;
    let checkout = shopper.paid("pm_card_visa").await;
    let api = shopper.user.api.with("idempotency-key", "cancel-once");
    let path = format!("/orders/{}/payment/cancel", checkout.order);
    let answers = join_all((0..5).map(|_| api.post(&path, json!({})))).await;
    let replayed = answers
        .iter()
        .filter(|answer| answer.header("idempotent-replayed") == Some("true"))
        .count();
    assert_eq!(replayed, 4);
    for answer in answers {
        assert_eq!(states(&answer.expect(200)), ("canceled".into(), "refund_pending".into()));
    }
    checkout.until("canceled", "refunded").await;
    shopper.user.api.post(&path, json!({})).await.problem(409, "illegal_transition");
}

#[tokio::test]
async fn a_payment_is_its_clients_and_the_administrators_business_only() {
    let cloud = cloud();
    let (shopper, stranger) = (Shopper::new(cloud).await, crate::support::client(cloud).await);
    let admin = &shopper.admin;
    let (pool, holder) = (worker(cloud, &[]).await, worker(cloud, &[]).await);
    let (pending, open, taken) = (
        shopper.checkout().await,
        shopper.paid("pm_card_visa").await,
        shopper.paid("pm_card_visa").await,
    );
    holder.api.post(&format!("/orders/{}/accept", taken.order), json!({})).await.expect(200);
    for (user, order, status) in [
        (&stranger, &pending, 404),
        (&stranger, &open, 404),
        (&pool, &pending, 404),
        (&pool, &open, 403),
        (&pool, &taken, 404),
        (&holder, &taken, 403),
    ] {
        let path = format!("/orders/{}/payment", order.order);
        let answers = [
            user.api.get(&path).await,
            user.api.post(&path, json!({})).await,
            user.api.post(&format!("{path}/confirm"), json!({})).await,
        ];
        for answer in answers {
            answer.problem(status, if status == 404 { "not_found" } else { "forbidden" });
        }
        let cancel = user.api.post(&format!("{path}/cancel"), json!({})).await;
        // To call a payment off is for clients, of whatever order.
        let status = if user.username == stranger.username { 404 } else { 403 };
        cancel.problem(status, if status == 404 { "not_found" } else { "forbidden" });
    }
    let path = format!("/orders/{}/payment", pending.order);
    for doing in ["", "/confirm", "/cancel"] {
        let path = format!("{path}{doing}");
        admin.api.post(&path, json!({})).await.problem(403, "forbidden");
        cloud.client().post(&path, json!({})).await.problem(401, "unauthenticated");
        shopper
            .user
            .api
            .post(&path, json!({"order_id": "another"}))
            .await
            .problem(422, "validation_failed");
    }
    // Administrators see more: what Stripe keeps, and whether to look into it.
    let path = format!("/orders/{}/payment", open.order);
    let (theirs, ours) = (admin.api.get(&path).await.expect(200), open.payment().await);
    assert_eq!((ledger(&theirs).len(), &theirs["attention"]), (2, &json!([])));
    assert_eq!((ledger(&ours), ours.get("attention")), (vec![("charge", 1999)], None));
    assert_eq!(theirs["ledger"][1]["kind"], "fee");
    for id in ["ord_unknown", "..", "%00", &format!("ord_{}", "0".repeat(26))] {
        shopper.user.api.post(&format!("/orders/{id}/payment"), json!({})).await.expect(404);
    }
    // None of it was anybody's doing.
    assert_eq!(pending.states().await, ("pending".into(), "unpaid".into()));
    assert_eq!(open.states().await, ("open".into(), "paid".into()));
}
