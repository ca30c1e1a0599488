//! Stripe's events: who may send them, what is made of those that nobody expected, and that order
//! and number of them do not matter.

use data_encoding::BASE64;
use futures::StreamExt;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::payments::{filed, handled, listed, silent};
use crate::support::{
    Checkout, Cloud, Shopper, Stripe, admin, client, cloud, eventually, ledger, now, signature,
    unique, v1,
};

/// An event of a type that concerns no order, with an id of its own.
fn harmless() -> (String, Vec<u8>) {
    let id = unique("evt_test");
    let body = json!({"id": id, "object": "event", "type": "customer.created", "data": {"object": {"id": "cus_1"}}});
    (id, body.to_string().into_bytes())
}

#[tokio::test]
async fn only_a_fresh_signature_of_these_very_bytes_by_a_known_secret_is_believed() {
    let cloud = cloud();
    let stripe = Stripe::of(cloud);
    let (secret, now) = (stripe.secret(), now());
    let (id, body) = harmless();
    let good = v1(secret, now, &body);
    let forged = [
        format!("t={now},v1={}", "0".repeat(64)),
        format!("t={now},v1={}", v1("whsec_other", now, &body)),
        // Old, from the future, and with a time that was put in afterwards.
        signature(secret, now - 400, &body),
        signature(secret, now + 400, &body),
        format!("t={now},v1={}", v1(secret, now - 400, &body)),
        format!("t={},t={now},v1={good}", now - 400),
        // Of other schemes, of nothing, of nonsense.
        format!("t={now},v0={good}"),
        format!("t={now}"),
        format!("v1={good}"),
        format!("t={now},v1={}", &good[..62]),
        format!("t={now},v1={good}00"),
        "t=,v1=".to_owned(),
        "garbage".to_owned(),
        "=,=,=,,,t=t=t".to_owned(),
        format!("t=99999999999999999999,v1={good}"),
        format!("t=-1,v1={good}"),
        String::new(),
        format!("t={now},{}", "v1=00,".repeat(500)),
    ];
    for header in forged {
        stripe.post(&header, &body).await.problem(400, "invalid_signature");
    }
    let endpoint = cloud.client();
    let unsigned = endpoint
        .send(http::Method::POST, "/webhooks/stripe", "application/json", body.clone().into())
        .await;
    unsigned.problem(400, "invalid_signature");
    let genuine = signature(secret, now, &body);
    for altered in [
        [&body[..], b" "].concat(),
        body[1..].to_vec(),
        body.iter().map(u8::to_ascii_uppercase).collect(),
        Vec::new(),
    ] {
        stripe.post(&genuine, &altered).await.problem(400, "invalid_signature");
    }
    // Not one of them was stored; the genuine one is, with the good signature wherever in the
    // header.
    let admin = admin(cloud).await;
    for state in ["pending", "ignored"] {
        assert!(!listed(&admin, state).await.iter().any(|event| event["id"] == id.as_str()));
    }
    let rolled = [
        genuine.clone(),
        format!("t={now},v1={good},v1={}", v1("whsec_old", now, &body)),
        format!("t={now},v1={},v1={good}", v1("whsec_old", now, &body)),
        format!("t={now},v0={},v1={good}", "0".repeat(64)),
        format!(" t={now} , v1={} ", good.to_uppercase()),
        signature(secret, now - 250, &body),
        signature(secret, now + 250, &body),
    ];
    for header in rolled {
        assert_eq!(
            stripe.post(&header, &body).await.expect(200),
            json!({"received": true}),
            "{header}"
        );
    }
}

#[tokio::test]
async fn while_a_secret_is_rolled_both_are_known() {
    let cloud = Cloud::start(
        "rolled",
        &["--ephemeral", "--env", "STRIPE_WEBHOOK_SECRETS=whsec_new_one, whsec_old_one"],
    );
    let stripe = Stripe::of(&cloud);
    for secret in ["whsec_new_one", "whsec_old_one"] {
        let (id, body) = harmless();
        stripe.post(&signature(secret, now(), &body), &body).await.expect(200);
        filed(&admin(&cloud).await, "ignored", &id).await;
    }
    let (_, body) = harmless();
    for secret in [stripe.secret(), "whsec_new_one, whsec_old_one", ""] {
        stripe
            .post(&signature(secret, now(), &body), &body)
            .await
            .problem(400, "invalid_signature");
    }
}

#[tokio::test]
async fn the_signature_is_of_the_bytes_even_when_the_gateway_encodes_them() {
    let cloud = cloud();
    let stripe = Stripe::of(cloud);
    let sample =
        std::fs::read_to_string(crate::support::workspace().join("events/webhooks-stripe.json"))
            .unwrap();
    let invoke = async |encoded: String, signature: String| {
        let mut event: Value = serde_json::from_str(&sample).unwrap();
        event["isBase64Encoded"] = json!(true);
        event["body"] = json!(encoded);
        event["headers"]["stripe-signature"] = json!(signature);
        cloud.invoke("webhooks-stripe", event).await
    };
    let (id, body) = harmless();
    let sign = |body: &[u8]| signature(stripe.secret(), now(), body);
    let answer = invoke(BASE64.encode(&body), sign(&body)).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    filed(&admin(cloud).await, "ignored", &id).await;
    // A signature of the encoded text is none of the body.
    let encoded = BASE64.encode(&body);
    assert_eq!(invoke(encoded.clone(), sign(encoded.as_bytes())).await["statusCode"], 400);
    // Bytes that are no text at all are signed and stored like all others.
    let bytes = [b"\xff\xfe\x00 no text ".as_slice(), unique("x").as_bytes()].concat();
    assert_eq!(invoke(BASE64.encode(&bytes), sign(&bytes)).await["statusCode"], 200);
}

#[tokio::test]
async fn what_nobody_expected_is_stored_answered_200_and_shown_to_administrators_only() {
    let cloud = silent().await;
    let shopper = Shopper::new(cloud).await;
    let stripe = &shopper.stripe;
    let sign = |body: &[u8]| signature(stripe.secret(), now(), body);

    let of_type = |kind: &str, object: Value| {
        let id = unique("evt_odd");
        let body = json!({"id": id, "object": "event", "api_version": "2099-12-31.zulu", "type": kind, "data": {"object": object}});
        (id, body.to_string())
    };
    for (kind, object, state, reason) in [
        ("invoice.invented", json!({"id": "in_1"}), "ignored", json!("type")),
        (
            "payment_intent.succeeded",
            json!({"object": "payment_intent"}),
            "unreadable",
            Value::Null,
        ),
        (
            "payment_intent.succeeded",
            json!({"object": "payment_intent", "id": {"value": "pi_1"}}),
            "unreadable",
            Value::Null,
        ),
        (
            "charge.refunded",
            json!({"object": "charge", "paymentIntent": "pi_1"}),
            "unreadable",
            Value::Null,
        ),
        ("charge.dispute.created", json!([]), "unreadable", Value::Null),
        (
            "charge.refunded",
            json!({"object": "charge", "payment_intent": null}),
            "ignored",
            json!("no_intent"),
        ),
        (
            "refund.created",
            json!({"object": "refund", "payment_intent": "pi_of_nobody"}),
            "ignored",
            json!("unknown_intent"),
        ),
    ] {
        let (id, body) = of_type(kind, object);
        stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
        let filed = filed(&shopper.admin, state, &id).await;
        assert_eq!(
            (&filed["type"], &filed["api_version"]),
            (&json!(kind), &json!("2099-12-31.zulu"))
        );
        assert_eq!((&filed["reason"], &filed["state"]), (&reason, &json!(state)), "{body}");
    }
    // No id, no JSON, no object: each is one event, however often it comes.
    let tag = unique("odd");
    let admin = shopper.admin.clone();
    let unreadable = async || {
        let items = listed(&admin, "unreadable").await;
        items
            .iter()
            .filter(|item| item["id"].as_str().unwrap().starts_with("unidentified_"))
            .count()
    };
    let odd = [
        format!("{{\"{tag}"),
        format!("[\"{tag}\"]"),
        format!("\"{tag}\""),
        format!("{{\"id\": 7, \"x\": \"{tag}\"}}"),
        format!("{}\n", "[".repeat(10_000)),
    ];
    let before = unreadable().await;
    for body in odd.iter().chain(&odd) {
        stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
    }
    let all_filed = async || Some(unreadable().await).filter(|after| *after >= before + odd.len());
    assert_eq!(eventually("all are filed", all_filed).await, before + odd.len());

    // A shape that is new in everything but the intent's place is applied: nothing else of it is
    // believed.
    let checkout = shopper.checkout().await;
    checkout.pay("pm_card_visa").await.expect(200);
    let (id, body) = of_type(
        "payment_intent.succeeded",
        json!({"object": "payment_intent", "id": checkout.intent, "amount": "lots", "status": 7}),
    );
    stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
    assert_eq!(filed(&shopper.admin, "applied", &id).await["order_id"], checkout.order.as_str());
    checkout.until("open", "paid").await;
    // And what says that something was paid does not make it so.
    let unpaid = shopper.checkout().await;
    let object = json!({"object": "payment_intent", "id": unpaid.intent, "amount_received": 1999, "status": "succeeded"});
    let (id, body) = of_type("payment_intent.succeeded", object);
    stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
    filed(&shopper.admin, "unchanged", &id).await;
    assert_eq!(unpaid.states().await, ("pending".into(), "unpaid".into()));

    let path = "/webhooks/stripe/events?state=unreadable";
    shopper.user.api.get(path).await.problem(403, "forbidden");
    client(cloud).await.api.get(path).await.problem(403, "forbidden");
    cloud.client().get(path).await.problem(401, "unauthenticated");
    for wrong in ["", "?state=all", "?state=pending&state=applied", "?state=applied&limit=0"] {
        admin
            .api
            .get(&format!("/webhooks/stripe/events{wrong}"))
            .await
            .problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_taken_and_a_larger_one_refused() {
    let cloud = cloud();
    let stripe = Stripe::of(cloud);
    let of_size = |id: &str, size: usize| {
        let start = format!(
            r#"{{"id": "{id}", "object": "event", "type": "customer.created", "data": {{"object": {{"x": ""#
        );
        let end = r#""}}}"#;
        format!(
            "{start}{}{end}",
            "é".repeat((size - start.len() - end.len()) / 2)
                + if (size - start.len() - end.len()) % 2 == 1 { "e" } else { "" }
        )
    };
    let id = unique("evt_large");
    let largest = of_size(&id, 1024 * 1024);
    assert_eq!(largest.len(), 1024 * 1024);
    stripe
        .post(&signature(stripe.secret(), now(), largest.as_bytes()), largest.as_bytes())
        .await
        .expect(200);
    assert_eq!(filed(&admin(cloud).await, "ignored", &id).await["type"], "customer.created");
    let larger = of_size(&unique("evt_larger"), 1024 * 1024 + 1);
    stripe
        .post(&signature(stripe.secret(), now(), larger.as_bytes()), larger.as_bytes())
        .await
        .problem(413, "body_too_large");
}

/// All orders of these things.
fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for index in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        all.extend(
            permutations(&rest).into_iter().map(|tail| [vec![first.clone()], tail].concat()),
        );
    }
    all
}

/// What of an order must not depend on how its events came: everything but ids and times.
async fn outcome(checkout: &Checkout) -> Value {
    let (order, payment) = (checkout.read().await, checkout.payment().await);
    let of = |list: &str| {
        let items = payment[list].as_array().unwrap().iter();
        items.map(|item| json!([item["money"], item["status"]])).collect::<Vec<_>>()
    };
    json!({
        "status": order["status"], "payment_status": order["payment_status"], "actions": order["actions"], "deadline": order["deadline"].is_string(),
        "balance": payment["balance"], "ledger": ledger(&payment), "refunds": of("refunds"), "disputes": of("disputes"),
    })
}

/// Every permutation of these types of events, each of them once, twice and three times, on orders
/// of their own that `happen` has happened to: all end alike. Returns how.
async fn assert_order_does_not_matter(
    shopper: &Shopper,
    types: &[&str],
    happen: impl AsyncFn(&Shopper, &Checkout),
) -> Value {
    let one = async |n: usize, permutation: Vec<&str>| {
        let checkout = shopper.checkout().await;
        happen(shopper, &checkout).await;
        let mut all = shopper.stripe.events_of(&checkout.intent, types).await;
        assert_eq!(all.len(), types.len(), "{types:?}: {all:#?}");
        all.sort_by_key(|event| permutation.iter().position(|kind| event["type"] == *kind));
        for event in &all {
            // Repetitions come at once.
            join_all((0..=n % 3).map(|_| shopper.stripe.deliver(event))).await;
        }
        let ids: Vec<_> = all.iter().map(|event| event["id"].as_str().unwrap()).collect();
        handled(&shopper.admin, &ids).await;
        (permutation.join(", "), outcome(&checkout).await)
    };
    let all =
        permutations(types).into_iter().enumerate().map(|(n, permutation)| one(n, permutation));
    // A few at a time: each is some processes.
    let outcomes: Vec<_> = futures::stream::iter(all).buffered(2).collect().await;
    for (permutation, outcome) in &outcomes {
        assert_eq!(*outcome, outcomes[0].1, "{permutation}");
    }
    outcomes[0].1.clone()
}

#[tokio::test]
async fn every_permutation_of_the_events_of_one_payment_ends_alike() {
    let shopper = Shopper::new(silent().await).await;
    let declined_then_paid = assert_order_does_not_matter(
        &shopper,
        &[
            "payment_intent.payment_failed",
            "payment_intent.requires_action",
            "payment_intent.succeeded",
        ],
        async |shopper, checkout| {
            checkout.pay("pm_card_chargeDeclined").await.expect(402);
            checkout.pay("pm_card_authenticationRequired").await.expect(200);
            shopper
                .stripe
                .control(&format!("payment_intents/{}/succeed", checkout.intent), json!({}))
                .await;
        },
    );
    let paid_then_refunded = assert_order_does_not_matter(
        &shopper,
        &["payment_intent.succeeded", "refund.created", "charge.refunded"],
        async |shopper, checkout| {
            checkout.pay("pm_card_visa").await.expect(200);
            shopper
                .stripe
                .call("/v1/refunds", &[("payment_intent", &checkout.intent)])
                .await
                .expect(200);
        },
    );
    let paid_when_called_off = assert_order_does_not_matter(
        &shopper,
        &["payment_intent.processing", "payment_intent.succeeded"],
        async |shopper, checkout| {
            checkout.pay("pm_usBankAccount_processing").await.expect(200);
            checkout.cancel().await.expect(200);
            shopper
                .stripe
                .control(&format!("payment_intents/{}/succeed", checkout.intent), json!({}))
                .await;
        },
    );
    let disputed = assert_order_does_not_matter(
        &shopper,
        &["payment_intent.succeeded", "charge.dispute.created", "charge.dispute.closed"],
        async |shopper, checkout| {
            checkout.pay("pm_card_createDispute").await.expect(200);
            let disputes = shopper
                .stripe
                .read(&format!("/v1/disputes?payment_intent={}", checkout.intent))
                .await;
            let dispute = disputes["data"][0]["id"].as_str().unwrap();
            shopper
                .stripe
                .control(&format!("disputes/{dispute}/close"), json!({"status": "lost"}))
                .await;
        },
    );
    let (paid, refunded, called_off, disputed) =
        futures::join!(declined_then_paid, paid_then_refunded, paid_when_called_off, disputed);
    let states = |outcome: &Value| [outcome["status"].clone(), outcome["payment_status"].clone()];
    assert_eq!(
        (states(&paid), &paid["ledger"]),
        ([json!("open"), json!("paid")], &json!([["charge", 1999]]))
    );
    let back = json!([["charge", 1999], ["refund", -1999]]);
    assert_eq!(
        (states(&refunded), &refunded["ledger"]),
        ([json!("open"), json!("refunded")], &back)
    );
    assert_eq!(
        (states(&called_off), &called_off["ledger"]),
        ([json!("canceled"), json!("refunded")], &back)
    );
    let taken = json!([["charge", 1999], ["chargeback", -1999]]);
    assert_eq!((states(&disputed), &disputed["ledger"]), ([json!("open"), json!("paid")], &taken));
    assert_eq!(disputed["balance"]["amount"], 0);
}

#[tokio::test]
async fn an_event_that_comes_many_times_at_once_is_one() {
    let shopper = Shopper::new(silent().await).await;
    let checkout = shopper.checkout().await;
    checkout.pay("pm_card_visa").await.expect(200);
    let event = &shopper.stripe.events_of(&checkout.intent, &["payment_intent.succeeded"]).await[0];
    join_all((0..20).map(|_| shopper.stripe.deliver(event))).await;
    let order = checkout.until("open", "paid").await;
    let id = event["id"].as_str().unwrap();
    filed(&shopper.admin, "applied", id).await;
    shopper.stripe.deliver(event).await;
    let mut stored = 0;
    for state in ["pending", "applied", "unchanged", "ignored", "mismatch", "unreadable"] {
        stored +=
            listed(&shopper.admin, state).await.iter().filter(|item| item["id"] == id).count();
    }
    assert_eq!(stored, 1);
    assert_eq!(checkout.read().await["version"], order["version"]);
}
