//! The states of a payment intent.

use serde_json::json;

use super::Sandbox;

#[tokio::test]
async fn a_card_is_charged_and_the_intent_succeeds() {
    let sandbox = Sandbox::start().await;
    for method in ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"] {
        let paid = sandbox.pay(method).await;
        assert_eq!(
            (paid.status, paid.json["status"].as_str()),
            (200, Some("succeeded")),
            "{}",
            paid.text
        );
        assert_eq!(paid.json["amount_received"], 2000);
        let charge = sandbox
            .get(&format!("/v1/charges/{}", paid.json["latest_charge"].as_str().unwrap()))
            .await
            .json;
        assert_eq!(
            (&charge["status"], &charge["payment_intent"]),
            (&json!("succeeded"), &paid.json["id"])
        );
    }
    assert_eq!(
        sandbox.events().await[..4],
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated"
        ]
    );
}

#[tokio::test]
async fn charge_updated_announces_the_balance_transaction_of_an_asynchronous_capture() {
    let sandbox = Sandbox::start().await;
    let paid = sandbox.pay("pm_card_visa").await.json;
    let event = async |kind: &str| {
        sandbox.get(&format!("/v1/events?type={kind}")).await.json["data"][0]["data"].clone()
    };
    let succeeded = event("charge.succeeded").await;
    assert_eq!(succeeded["object"]["balance_transaction"], json!(null));
    assert!(succeeded.get("previous_attributes").is_none());
    let updated = event("charge.updated").await;
    assert_eq!(updated["object"]["id"], paid["latest_charge"]);
    assert_eq!(updated["previous_attributes"], json!({ "balance_transaction": null }));
    let id = updated["object"]["balance_transaction"].as_str().unwrap();
    let transaction = sandbox.get(&format!("/v1/balance_transactions/{id}")).await.json;
    assert_eq!(transaction["source"], paid["latest_charge"]);
}

#[tokio::test]
async fn a_synchronous_capture_needs_no_charge_updated() {
    let sandbox = Sandbox::start().await;
    let form = "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa&\
                capture_method=automatic";
    assert_eq!(sandbox.post("/v1/payment_intents", form).await.status, 200);
    let succeeded = sandbox.get("/v1/events?type=charge.succeeded").await.json;
    assert!(succeeded["data"][0]["data"]["object"]["balance_transaction"].is_string());
    assert!(!sandbox.events().await.contains(&"charge.updated".to_owned()));
}

#[tokio::test]
async fn tokens_and_test_numbers_name_the_same_cards() {
    let sandbox = Sandbox::start().await;
    for (data, status) in [
        ("[token]=tok_mastercard", 200),
        (
            "[number]=4242%204242%204242%204242&payment_method_data[card][exp_month]=12&\
             payment_method_data[card][exp_year]=34&payment_method_data[card][cvc]=123",
            200,
        ),
        ("[token]=tok_visa_chargeDeclined", 402),
        ("[number]=4000000000009995", 402),
        ("[number]=4111111111111112", 402),
        ("[token]=tok_none", 400),
    ] {
        let id = sandbox.intent().await.id();
        let form = format!("payment_method_data[type]=card&payment_method_data[card]{data}");
        assert_eq!(
            sandbox.post(&format!("/v1/payment_intents/{id}/confirm"), &form).await.status,
            status,
            "{data}"
        );
    }
}

#[tokio::test]
async fn a_declined_intent_says_why_and_can_be_paid_again() {
    let sandbox = Sandbox::start().await;
    for (method, code, decline_code) in [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ] {
        let declined = sandbox.pay(method).await;
        let error = &declined.json["error"];
        assert_eq!(
            (declined.status, &error["type"], &error["code"]),
            (402, &json!("card_error"), &json!(code)),
            "{method}"
        );
        assert_eq!(error["decline_code"], decline_code, "{method}");
        let id = error["payment_intent"]["id"].as_str().unwrap();
        let intent = sandbox.get(&format!("/v1/payment_intents/{id}")).await.json;
        assert_eq!(intent["status"], "requires_payment_method");
        assert_eq!(intent["payment_method"], json!(null));
        assert_eq!(intent["last_payment_error"]["decline_code"], decline_code);
        assert_eq!(intent["last_payment_error"]["payment_method"]["type"], "card");
        let paid = sandbox
            .post(&format!("/v1/payment_intents/{id}/confirm"), "payment_method=pm_card_visa")
            .await
            .json;
        assert_eq!(
            (&paid["status"], &paid["last_payment_error"]),
            (&json!("succeeded"), &json!(null)),
            "{method}"
        );
    }
    let events = sandbox.events().await;
    assert_eq!(
        events[..3],
        ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    );
}

#[tokio::test]
async fn create_with_confirm_does_both() {
    let sandbox = Sandbox::start().await;
    let paid = sandbox
        .post(
            "/v1/payment_intents",
            "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa",
        )
        .await;
    assert_eq!(paid.json["status"], "succeeded");
    let declined = sandbox
        .post(
            "/v1/payment_intents",
            "amount=2000&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined",
        )
        .await;
    assert_eq!(declined.status, 402);
    let id = declined.json["error"]["payment_intent"]["id"].as_str().unwrap();
    assert_eq!(
        sandbox.get(&format!("/v1/payment_intents/{id}")).await.status,
        200,
        "the intent exists"
    );
    let attached = sandbox
        .post("/v1/payment_intents", "amount=2000&currency=usd&payment_method=pm_card_visa")
        .await;
    assert_eq!(attached.json["status"], "requires_confirmation");
    let confirmed =
        sandbox.post(&format!("/v1/payment_intents/{}/confirm", attached.id()), "").await;
    assert_eq!(confirmed.json["status"], "succeeded");
}

#[tokio::test]
async fn a_payment_method_of_a_type_that_the_intent_does_not_accept_is_rejected() {
    let sandbox = Sandbox::start().await;
    let intent = sandbox.post("/v1/payment_intents", "amount=2000&currency=eur").await;
    assert_eq!(intent.json["payment_method_types"], json!(["card"]));
    let rejected = sandbox
        .post(
            &format!("/v1/payment_intents/{}/confirm", intent.id()),
            "payment_method=pm_usBankAccount_success",
        )
        .await;
    assert_eq!(rejected.status, 400);
    assert!(rejected.text.contains("The PaymentMethod provided (us_bank_account) is not allowed"));
}

#[tokio::test]
async fn an_intent_that_is_no_longer_open_cannot_be_confirmed_canceled_or_changed() {
    let sandbox = Sandbox::start().await;
    let paid = sandbox.pay("pm_card_visa").await.id();
    let canceled = sandbox.intent().await.id();
    let path = |id: &str, action: &str| format!("/v1/payment_intents/{id}{action}");
    let reply =
        sandbox.post(&path(&canceled, "/cancel"), "cancellation_reason=abandoned").await.json;
    assert_eq!(
        (&reply["status"], &reply["cancellation_reason"]),
        (&json!("canceled"), &json!("abandoned"))
    );
    let processing = sandbox.pay("pm_usBankAccount_processing").await.id();
    for id in [&paid, &canceled, &processing] {
        for (action, form) in
            [("/confirm", "payment_method=pm_card_visa"), ("/cancel", ""), ("", "amount=500")]
        {
            let rejected = sandbox.post(&path(id, action), form).await;
            assert_eq!(rejected.error(), (400, "payment_intent_unexpected_state"), "{id} {action}");
            assert_eq!(rejected.json["error"]["payment_intent"]["id"], id.as_str());
        }
        assert_eq!(
            sandbox.post(&path(id, ""), "metadata[late]=1").await.json["metadata"]["late"],
            "1",
            "metadata can always be changed"
        );
    }
    let rejected = sandbox.post(&path(&paid, "/cancel"), "").await;
    let message = rejected.json["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "You cannot cancel this PaymentIntent because it has a status of succeeded."
        ),
        "{message}"
    );
    let missing = sandbox.post(&path(&sandbox.intent().await.id(), "/confirm"), "").await;
    assert!(
        missing.json["error"]["message"].as_str().unwrap().contains("missing a payment method")
    );
}

#[tokio::test]
async fn changing_the_amount_of_an_open_intent_requires_a_new_confirmation() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.pay("pm_card_threeDSecure2Required").await.id();
    let changed =
        sandbox.post(&format!("/v1/payment_intents/{id}"), "amount=3000&metadata[a]=1").await.json;
    assert_eq!(
        (&changed["amount"], &changed["status"], &changed["next_action"]),
        (&json!(3000), &json!("requires_confirmation"), &json!(null))
    );
    let stale = sandbox
        .send("POST", &format!("/_local/payment_intents/{id}/succeed"), &[], "")
        .await
        .unwrap();
    assert_eq!(
        stale.error(),
        (400, "payment_intent_unexpected_state"),
        "there is nothing left to authenticate"
    );
    assert_eq!(
        sandbox.post(&format!("/v1/payment_intents/{id}"), "amount=10").await.error(),
        (400, "amount_too_small")
    );
}

#[tokio::test]
async fn a_cancellation_during_a_slow_payment_wins() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.intent().await.id();
    let (confirm, cancel) =
        (format!("/v1/payment_intents/{id}/confirm"), format!("/v1/payment_intents/{id}/cancel"));
    let paying = sandbox.post(&confirm, "payment_method=pm_card_slow");
    let canceling = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        sandbox.post(&cancel, "").await
    };
    let (paid, canceled) = tokio::join!(paying, canceling);
    assert_eq!((canceled.status, paid.error()), (200, (400, "payment_intent_unexpected_state")));
    assert_eq!(sandbox.pay("pm_card_slow").await.json["status"], "succeeded");
}
