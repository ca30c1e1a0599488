//! Payments that wait for the customer's authentication or for a bank.

use serde_json::json;

use super::Sandbox;

#[tokio::test]
async fn authentication_can_succeed_or_fail() {
    let sandbox = Sandbox::start().await;
    for (method, outcome, status) in [
        ("pm_card_threeDSecure2Required", "succeed", "succeeded"),
        ("pm_card_authenticationRequired", "fail", "requires_payment_method"),
        ("pm_card_threeDSecureRequiredChargeDeclined", "succeed", "requires_payment_method"),
    ] {
        let waiting = sandbox.pay(method).await;
        assert_eq!(
            (waiting.status, waiting.json["status"].as_str()),
            (200, Some("requires_action"))
        );
        assert_eq!(waiting.json["next_action"]["type"], "use_stripe_sdk");
        let id = waiting.id();
        let ended = sandbox.control(&format!("payment_intents/{id}/{outcome}"), json!(null)).await;
        assert_eq!(
            (&ended["status"], &ended["next_action"]),
            (&json!(status), &json!(null)),
            "{method} {outcome}"
        );
        let error = &ended["last_payment_error"];
        match (method, outcome) {
            (_, "fail") => assert_eq!(error["code"], "payment_intent_authentication_failure"),
            ("pm_card_threeDSecure2Required", _) => assert_eq!(*error, json!(null)),
            _ => assert_eq!(error["code"], "card_declined"),
        }
    }
}

#[tokio::test]
async fn a_browser_visits_the_banks_page_and_returns_to_the_shop() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.intent().await.id();
    let form = "payment_method=pm_card_threeDSecure2Required&\
                return_url=http%3A%2F%2Fshop%2Fdone%3Forder%3D1";
    let intent = sandbox.post(&format!("/v1/payment_intents/{id}/confirm"), form).await.json;
    let page = intent["next_action"]["redirect_to_url"]["url"]
        .as_str()
        .unwrap()
        .strip_prefix(&sandbox.url)
        .unwrap()
        .to_owned();
    assert!(sandbox.send("GET", &page, &[], "").await.unwrap().text.contains("$20.00"));
    let succeed = page.replace("authenticate", "succeed");
    let back = sandbox.send("POST", &succeed, &[("accept", "text/html")], "").await.unwrap();
    assert_eq!(back.status, 303);
    let location = back.header("location").unwrap();
    assert!(
        location.starts_with(&format!("http://shop/done?order=1&payment_intent={id}&")),
        "{location}"
    );
    assert!(location.ends_with("redirect_status=succeeded"), "{location}");
}

#[tokio::test]
async fn an_off_session_payment_that_needs_authentication_is_declined() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.intent().await.id();
    let form = "payment_method=pm_card_authenticationRequired&off_session=true";
    let rejected = sandbox.post(&format!("/v1/payment_intents/{id}/confirm"), form).await;
    assert_eq!(rejected.error(), (402, "authentication_required"));
    assert_eq!(
        sandbox.get(&format!("/v1/payment_intents/{id}")).await.json["status"],
        "requires_payment_method"
    );
}

#[tokio::test]
async fn a_bank_debit_is_processing_until_the_bank_settles_it() {
    let sandbox = Sandbox::start().await;
    for (method, end) in [
        ("pm_usBankAccount_success", "succeeded"),
        ("pm_usBankAccount_insufficientFunds", "requires_payment_method"),
    ] {
        let started = sandbox.pay(method).await;
        assert_eq!(started.json["status"], "processing");
        let ended =
            sandbox.until_status(&format!("/v1/payment_intents/{}", started.id()), end).await;
        assert_eq!(
            ended["latest_charge"], started.json["latest_charge"],
            "the pending charge settles"
        );
        assert_eq!(ended["amount_received"].as_i64().unwrap() == 2000, end == "succeeded");
    }
    let waiting = sandbox.pay("pm_usBankAccount_processing").await.id();
    let paid = sandbox.control(&format!("payment_intents/{waiting}/succeed"), json!(null)).await;
    assert_eq!(paid["status"], "succeeded");
}
