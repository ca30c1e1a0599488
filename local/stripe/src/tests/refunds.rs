//! Refunds and disputes.

use serde_json::json;

use super::Sandbox;

#[tokio::test]
async fn refunds_are_full_or_partial_and_never_exceed_the_charge() {
    let sandbox = Sandbox::start().await;
    let paid = sandbox.pay("pm_card_visa").await;
    let (id, charge) = (paid.id(), paid.json["latest_charge"].as_str().unwrap().to_owned());
    let too_much = sandbox.post("/v1/refunds", &format!("payment_intent={id}&amount=2001")).await;
    assert_eq!(
        too_much.json["error"]["message"],
        "Refund amount ($20.01) is greater than charge amount ($20.00)"
    );
    let part = sandbox
        .post(
            "/v1/refunds",
            &format!("payment_intent={id}&amount=500&reason=requested_by_customer&metadata[k]=v"),
        )
        .await
        .json;
    assert_eq!(
        (&part["amount"], &part["status"], &part["metadata"]["k"]),
        (&json!(500), &json!("succeeded"), &json!("v"))
    );
    let after = sandbox.get(&format!("/v1/charges/{charge}")).await.json;
    assert_eq!((&after["amount_refunded"], &after["refunded"]), (&json!(500), &json!(false)));
    let too_much = sandbox.post("/v1/refunds", &format!("charge={charge}&amount=1501")).await;
    assert_eq!(
        too_much.json["error"]["message"],
        "Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)"
    );
    let rest = sandbox.post("/v1/refunds", &format!("charge={charge}")).await.json;
    assert_eq!(rest["amount"], 1500);
    assert_eq!(sandbox.get(&format!("/v1/charges/{charge}")).await.json["refunded"], true);
    assert_eq!(
        sandbox.post("/v1/refunds", &format!("payment_intent={id}")).await.error(),
        (400, "charge_already_refunded")
    );
    assert_eq!(
        sandbox.get(&format!("/v1/refunds?payment_intent={id}")).await.json["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(sandbox.get("/v1/refunds?payment_intent=pi_other").await.json["data"], json!([]));
    assert_eq!(
        sandbox.events().await[4..],
        ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]
    );
}

#[tokio::test]
async fn an_unpaid_intent_cannot_be_refunded() {
    let sandbox = Sandbox::start().await;
    let unpaid = sandbox.intent().await.id();
    let declined = sandbox.pay("pm_card_chargeDeclined").await.json["error"].clone();
    let declined_intent = declined["payment_intent"]["id"].as_str().unwrap();
    let processing = sandbox.pay("pm_usBankAccount_processing").await.id();
    for form in [
        format!("payment_intent={unpaid}"),
        format!("payment_intent={declined_intent}"),
        format!("payment_intent={processing}"),
        format!("charge={}", declined["charge"].as_str().unwrap()),
        String::new(),
        "charge=ch_1&payment_intent=pi_1".to_owned(),
    ] {
        let reply = sandbox.post("/v1/refunds", &form).await;
        assert_eq!(reply.status, 400, "{form}: {}", reply.text);
    }
    assert!(!sandbox.events().await.contains(&"refund.created".to_owned()));
}

#[tokio::test]
async fn a_pending_refund_succeeds_later() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.pay("pm_card_pendingRefund").await.id();
    let refund = sandbox.post("/v1/refunds", &format!("payment_intent={id}")).await;
    assert_eq!(refund.json["status"], "pending");
    sandbox.until_status(&format!("/v1/refunds/{}", refund.id()), "succeeded").await;
    let events = sandbox.events().await;
    assert!(
        events.contains(&"refund.updated".to_owned())
            && !events.contains(&"refund.failed".to_owned()),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_refund_that_fails_later_makes_the_charge_refundable_again() {
    let sandbox = Sandbox::with(|options| options.settlement = super::TIMEOUT).await;
    let paid = sandbox.pay("pm_card_refundFail").await;
    let refund = sandbox.post("/v1/refunds", &format!("payment_intent={}", paid.id())).await;
    assert_eq!(refund.json["status"], "succeeded");
    let failed = sandbox.control(&format!("refunds/{}/settle", refund.id()), json!(null)).await;
    assert_eq!(
        (&failed["status"], &failed["failure_reason"]),
        (&json!("failed"), &json!("expired_or_canceled_card"))
    );
    let charge = sandbox
        .get(&format!("/v1/charges/{}", paid.json["latest_charge"].as_str().unwrap()))
        .await
        .json;
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(0), &json!(false)));
    assert_eq!(sandbox.events().await.last().unwrap(), "refund.failed");
    assert_eq!(
        sandbox.post("/v1/refunds", &format!("payment_intent={}", paid.id())).await.status,
        200,
        "it can be tried again"
    );
}

#[tokio::test]
async fn a_cards_refund_cannot_be_canceled() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.pay("pm_card_visa").await.id();
    let refund = sandbox.post("/v1/refunds", &format!("payment_intent={id}")).await.id();
    assert_eq!(sandbox.post(&format!("/v1/refunds/{refund}/cancel"), "").await.status, 400);
    assert_eq!(sandbox.post("/v1/refunds/re_none/cancel", "").await.status, 404);
}

#[tokio::test]
async fn a_disputed_charge_cannot_be_refunded_and_its_dispute_closes_once() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.pay("pm_card_visa").await.id();
    let dispute = sandbox
        .control("disputes", json!({ "payment_intent": id, "reason": "product_not_received" }))
        .await;
    assert_eq!(
        (&dispute["status"], &dispute["reason"], &dispute["amount"]),
        (&json!("needs_response"), &json!("product_not_received"), &json!(2000))
    );
    assert_eq!(
        sandbox.post("/v1/refunds", &format!("payment_intent={id}")).await.error(),
        (400, "charge_disputed")
    );
    let path = format!("/_local/disputes/{}/close", dispute["id"].as_str().unwrap());
    let json_body = [("content-type", "application/json")];
    let close =
        async || sandbox.send("POST", &path, &json_body, r#"{"status":"won"}"#).await.unwrap();
    assert_eq!(close().await.json["status"], "won");
    assert_eq!(close().await.status, 400);
    let events = sandbox.events().await;
    assert_eq!(
        events[4..],
        [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed"
        ]
    );
    let by_card = sandbox.pay("pm_card_createDispute").await.id();
    assert_eq!(
        sandbox.get(&format!("/v1/disputes?payment_intent={by_card}")).await.json["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
