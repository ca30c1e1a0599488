//! The rules of <https://docs.stripe.com/api/idempotent_requests>.

use std::time::Duration;

use serde_json::json;

use super::Sandbox;

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn the_same_key_and_parameters_replay_the_first_response() {
    let sandbox = Sandbox::start().await;
    let first = sandbox.keyed("k1", INTENTS, "amount=2000&currency=usd").await;
    assert_eq!(first.header("idempotent-replayed"), None);
    // The order and the spelling of the parameters do not matter.
    let again = sandbox.keyed("k1", INTENTS, "currency=usd&amount=%32000").await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(sandbox.events().await.len(), 1, "it was executed once");
    assert_ne!(sandbox.keyed("k2", INTENTS, "amount=2000&currency=usd").await.id(), first.id());
}

#[tokio::test]
async fn the_same_key_with_other_parameters_or_another_path_is_an_error() {
    let sandbox = Sandbox::start().await;
    let first = sandbox.keyed("k", INTENTS, "amount=2000&currency=usd").await;
    for (path, form, words) in [
        (INTENTS.to_owned(), "amount=2001&currency=usd", "same parameters"),
        (INTENTS.to_owned(), "amount=2000&currency=usd&metadata[a]=1", "same parameters"),
        (format!("{INTENTS}/{}/cancel", first.id()), "", "same endpoint"),
    ] {
        let reply = sandbox.keyed("k", &path, form).await;
        assert_eq!(
            (reply.status, &reply.json["error"]["type"]),
            (400, &json!("idempotency_error")),
            "{path} {form}"
        );
        assert!(reply.json["error"]["message"].as_str().unwrap().contains(words));
    }
    assert_eq!(
        sandbox.get(&format!("{INTENTS}/{}", first.id())).await.json["status"],
        "requires_payment_method"
    );
}

#[tokio::test]
async fn a_decline_and_another_error_are_replayed() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.intent().await.id();
    let confirm = format!("{INTENTS}/{id}/confirm");
    let declined = sandbox.keyed("pay", &confirm, "payment_method=pm_card_chargeDeclined").await;
    let again = sandbox.keyed("pay", &confirm, "payment_method=pm_card_chargeDeclined").await;
    assert_eq!((again.status, &again.text), (402, &declined.text));
    assert_eq!(sandbox.events().await.iter().filter(|kind| *kind == "charge.failed").count(), 1);

    let failed = sandbox.keyed("refund", "/v1/refunds", &format!("payment_intent={id}")).await;
    assert_eq!(failed.status, 400);
    sandbox.post(&confirm, "payment_method=pm_card_visa").await;
    let again = sandbox.keyed("refund", "/v1/refunds", &format!("payment_intent={id}")).await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (400, Some("true")),
        "even though it would succeed now"
    );
}

#[tokio::test]
async fn a_500_is_replayed_and_a_429_is_not() {
    let sandbox = Sandbox::start().await;
    sandbox.control("faults", json!({ "fault": "error_500" })).await;
    assert_eq!(sandbox.keyed("a", INTENTS, "amount=2000&currency=usd").await.status, 500);
    let again = sandbox.keyed("a", INTENTS, "amount=2000&currency=usd").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, Some("true")));
    sandbox.control("faults", json!({ "fault": "error_429" })).await;
    assert_eq!(
        sandbox.keyed("b", INTENTS, "amount=2000&currency=usd").await.error(),
        (429, "rate_limit")
    );
    assert_eq!(sandbox.keyed("b", INTENTS, "amount=2000&currency=usd").await.status, 200);
}

#[tokio::test]
async fn a_call_that_fails_validation_does_not_use_up_its_key() {
    let sandbox = Sandbox::start().await;
    for form in ["amount=2000", "amount=10&currency=usd", "amount=2000&currency=usd&odd=1"] {
        assert_eq!(sandbox.keyed("k", INTENTS, form).await.status, 400);
    }
    assert_eq!(sandbox.keyed("k", INTENTS, "amount=2000&currency=usd").await.status, 200);
}

#[tokio::test]
async fn a_key_in_use_is_rejected() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.intent().await.id();
    let confirm = format!("{INTENTS}/{id}/confirm");
    let second = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sandbox.keyed("k", &confirm, "payment_method=pm_card_slow").await
    };
    let (first, second) =
        tokio::join!(sandbox.keyed("k", &confirm, "payment_method=pm_card_slow"), second);
    assert_eq!((first.status, second.error()), (200, (409, "idempotency_key_in_use")));
    let later = sandbox.keyed("k", &confirm, "payment_method=pm_card_slow").await;
    assert_eq!((later.status, &later.text), (200, &first.text));
}

#[tokio::test]
async fn an_expired_key_is_forgotten() {
    let sandbox = Sandbox::with(|options| options.idempotency_key_lifetime = Duration::ZERO).await;
    let first = sandbox.keyed("k", INTENTS, "amount=2000&currency=usd").await;
    assert_ne!(sandbox.keyed("k", INTENTS, "amount=2000&currency=usd").await.id(), first.id());
}

#[tokio::test]
async fn a_key_has_at_most_255_characters_and_a_get_ignores_it() {
    let sandbox = Sandbox::start().await;
    assert_eq!(
        sandbox.keyed(&"k".repeat(256), INTENTS, "amount=2000&currency=usd").await.status,
        400
    );
    for _ in 0..2 {
        let list = sandbox.call_with("GET", INTENTS, &[("idempotency-key", "g")], "").await;
        assert_eq!((list.status, list.header("idempotent-replayed")), (200, None));
    }
}
