//! `POST /webhooks/stripe`.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::harmless;
use crate::support::{
    Cloud, Stripe, admin, events_in_state, now, shared_cloud, signature, unique, until_event, v1,
};

#[tokio::test]
async fn only_a_fresh_signature_of_the_exact_bytes_by_a_known_secret_is_accepted() {
    let cloud = shared_cloud();
    let stripe = Stripe::of(cloud);
    let (secret, now) = (stripe.secret(), now());
    let (id, body) = harmless();
    let good = v1(secret, now, &body);
    let forged = [
        format!("t={now},v1={}", "0".repeat(64)),
        format!("t={now},v1={}", v1("whsec_other", now, &body)),
        // Too old, from the future, and with a time that was changed afterwards.
        signature(secret, now - 400, &body),
        signature(secret, now + 400, &body),
        format!("t={now},v1={}", v1(secret, now - 400, &body)),
        format!("t={},t={now},v1={good}", now - 400),
        // Other schemes, missing parts, and garbage.
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
    // None of these was stored.
    let admin = admin(cloud).await;
    for state in ["pending", "ignored", "unreadable", "mismatch"] {
        assert!(
            !events_in_state(&admin, state).await.iter().any(|event| event["id"] == id.as_str())
        );
    }
    // The genuine signature is accepted anywhere in the header.
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
            stripe.post(&header, &body).await.expect_status(200),
            json!({"received": true}),
            "{header}"
        );
    }
}

#[tokio::test]
async fn both_secrets_are_accepted_during_a_rotation() {
    let cloud = Cloud::start(
        "rolled",
        &["--ephemeral", "--env", "STRIPE_WEBHOOK_SECRETS=whsec_new_one, whsec_old_one"],
    );
    let stripe = Stripe::of(&cloud);
    for secret in ["whsec_new_one", "whsec_old_one"] {
        let (id, body) = harmless();
        stripe.post(&signature(secret, now(), &body), &body).await.expect_status(200);
        until_event(&admin(&cloud).await, "ignored", &id).await;
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
async fn the_signature_covers_the_decoded_bytes_of_a_base64_body() {
    let cloud = shared_cloud();
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
    until_event(&admin(cloud).await, "ignored", &id).await;
    // A signature of the encoded text is not valid.
    let encoded = BASE64.encode(&body);
    assert_eq!(invoke(encoded.clone(), sign(encoded.as_bytes())).await["statusCode"], 400);
    // Bytes that are not UTF-8 are verified and accepted like all others.
    let bytes = [b"\xff\xfe\x00 no text ".as_slice(), unique("x").as_bytes()].concat();
    assert_eq!(invoke(BASE64.encode(&bytes), sign(&bytes)).await["statusCode"], 200);
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_accepted_and_a_larger_one_rejected() {
    let cloud = shared_cloud();
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
        .expect_status(200);
    assert_eq!(until_event(&admin(cloud).await, "ignored", &id).await["type"], "customer.created");
    let larger = of_size(&unique("evt_larger"), 1024 * 1024 + 1);
    stripe
        .post(&signature(stripe.secret(), now(), larger.as_bytes()), larger.as_bytes())
        .await
        .problem(413, "body_too_large");
}
