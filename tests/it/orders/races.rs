//! Two concurrent transitions: one wins, the loser gets the state after the winner's transition,
//! and no money is lost.

use serde_json::{Value, json};

use crate::support::{
    Parties, TestOrder, User, admin, shared_cloud, transition_body, unique, until_payment_status,
};

/// How many times each race is run. The winner is random, so once is not enough.
const ROUNDS: usize = 4;

/// Requests two transitions concurrently and asserts that exactly one succeeds. Returns its name
/// and the order.
async fn race(order: &TestOrder, one: (&User, &str), other: (&User, &str)) -> (String, Value) {
    let before = order.read(&order.client).await["version"].as_u64().expect("a version");
    let attempt = |(user, verb): (&User, &str)| {
        let (api, path, verb) = (user.api.clone(), order.path(verb), verb.to_owned());
        async move { (api.post(&path, transition_body(&verb)).await, verb) }
    };
    let (first, second) = futures::join!(attempt(one), attempt(other));
    let (won, lost) = if first.0.status == 200 { (first, second) } else { (second, first) };
    let after = won.0.expect_status(200);
    let problem = lost.0.problem(409, "illegal_transition");
    assert_eq!(problem["order_status"], after["status"], "the loser gets the new status");
    // A refund may have followed, but no second transition.
    let version = order.read(&order.client).await["version"].as_u64().expect("a version");
    assert!(version > before && after["version"] == before + 1, "{before} {after:#}");
    (won.1, after)
}

#[tokio::test]
async fn an_order_is_either_accepted_or_canceled() {
    let parties = Parties::new(shared_cloud()).await;
    for _ in 0..ROUNDS {
        let job = TestOrder::between(shared_cloud(), &parties, "open").await;
        let (won, order) = race(&job, (&job.worker, "accept"), (&job.client, "cancel")).await;
        match won.as_str() {
            "accept" => assert_eq!(order["worker"]["username"], job.worker.username.as_str()),
            _ => drop(until_payment_status(&job.client, &job.id, "refunded").await),
        }
    }
}

#[tokio::test]
async fn an_order_is_either_completed_or_disputed() {
    let parties = Parties::new(shared_cloud()).await;
    for _ in 0..ROUNDS {
        let job = TestOrder::between(shared_cloud(), &parties, "delivered").await;
        let (won, order) = race(&job, (&job.client, "complete"), (&job.worker, "dispute")).await;
        assert_eq!(order["status"], if won == "complete" { "completed" } else { "disputed" });
    }
}

#[tokio::test]
async fn an_order_is_either_delivered_or_canceled_by_an_administrator() {
    let admin = admin(shared_cloud()).await;
    let parties = Parties::new(shared_cloud()).await;
    for _ in 0..ROUNDS {
        let job = TestOrder::between(shared_cloud(), &parties, "assigned").await;
        let (won, order) = race(&job, (&job.worker, "deliver"), (&admin, "cancel")).await;
        assert_eq!(order["status"], if won == "deliver" { "delivered" } else { "canceled" });
    }
}

#[tokio::test]
async fn concurrent_requests_with_one_idempotency_key_make_one_transition() {
    for verb in ["cancel", "payment/cancel"] {
        let order = TestOrder::in_status(shared_cloud(), "pending").await;
        order.client.api.post(&order.path("payment"), json!({})).await.expect_status(200);
        let api = order.client.api.with_header("idempotency-key", &unique("key"));
        let attempts =
            (0..4).map(|_| async { api.post(&order.path(verb), transition_body(verb)).await });
        let answers = futures::future::join_all(attempts).await;
        let replayed =
            answers.iter().filter(|answer| answer.header("idempotent-replayed").is_some()).count();
        assert_eq!(replayed, 3, "{verb}");
        let bodies: Vec<_> = answers.into_iter().map(|answer| answer.expect_status(200)).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
    }
}

/// Whichever request reaches Stripe first, the client has either not paid or gets a refund.
#[tokio::test]
async fn canceling_while_paying_leaves_nothing_owed() {
    let cloud = shared_cloud();
    let parties = Parties::new(cloud).await;
    for round in 0..2 * ROUNDS {
        let order = TestOrder::between(cloud, &parties, "pending").await;
        let payment =
            order.client.api.post(&order.path("payment"), json!({})).await.expect_status(200);
        let intent = payment["payment_intent_id"].as_str().expect("an intent").to_owned();
        let stripe = cloud.stripe().bearer(payment["publishable_key"].as_str().expect("a key"));
        let secret = payment["client_secret"].as_str().expect("a secret").to_owned();
        let pays = async {
            let fields = [("payment_method", "pm_card_visa"), ("client_secret", secret.as_str())];
            stripe.form(&format!("/v1/payment_intents/{intent}/confirm"), &fields).await.status
        };
        let verb = if round % 2 == 0 { "cancel" } else { "payment/cancel" };
        let cancels =
            async { order.client.api.post(&order.path(verb), transition_body(verb)).await };
        let (paid, canceled) = futures::join!(pays, cancels);
        assert_eq!(canceled.expect_status(200)["status"], "canceled");
        if paid == 200 {
            until_payment_status(&order.client, &order.id, "refunded").await;
        } else {
            assert_eq!(order.read(&order.client).await["payment_status"], "unpaid");
        }
        let payment = order.client.api.get(&order.path("payment")).await.expect_status(200);
        assert_eq!(payment["balance"]["amount"], 0, "{payment:#}");
        assert_eq!(
            payment["ledger"].as_array().map(Vec::len),
            Some(if paid == 200 { 2 } else { 0 }),
            "{payment:#}"
        );
        assert_eq!(order.read(&order.client).await["status"], "canceled");
    }
}
