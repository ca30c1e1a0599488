//! Secrets are rolled while the stack runs, by one command each and without a deployment.
//! docs/operations.md describes the same steps.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Client, Cloud, ForgedToken, NEXT_KEY, SecretsManager, Shopper, Stripe, User, eventually,
    new_client, new_service, now, signature, unique,
};

/// An event that concerns no order.
fn harmless_event() -> Vec<u8> {
    json!({"id": unique("evt_"), "object": "event", "type": "customer.created"})
        .to_string()
        .into_bytes()
}

fn pids(cloud: &Cloud, function: &str) -> Vec<u32> {
    let processes = cloud.processes().into_iter().filter(|(_, name)| name == function);
    processes.map(|(pid, _)| pid).collect()
}

#[tokio::test]
async fn a_rolled_webhook_secret_is_accepted_at_once_by_running_sandboxes() {
    let cloud = Cloud::start("rolled-webhook", &["--ephemeral"]);
    let (secrets, stripe) = (SecretsManager::of(&cloud), Stripe::of(&cloud));
    let post = async |secret: &str| {
        let body = harmless_event();
        stripe.post(&signature(secret, now(), &body), &body).await
    };
    post(stripe.secret()).await.expect_status(200);
    let before = pids(&cloud, "webhooks-stripe");
    let put = async |list: &str| {
        let value = json!({"webhook_secrets": list}).to_string();
        secrets.put("marketplace/stripe-webhook", &value).await;
    };
    put("whsec_new").await;
    post("whsec_new").await.expect_status(200);
    post(stripe.secret()).await.problem(400, "invalid_signature");
    assert_eq!(pids(&cloud, "webhooks-stripe"), before, "the sandboxes are the same");
    // Strangers can't make a sandbox read the secret more than once a minute.
    put("whsec_newer").await;
    post("whsec_newer").await.problem(400, "invalid_signature");
    post("whsec_new").await.expect_status(200);
}

#[tokio::test]
async fn a_rolled_stripe_key_is_read_when_stripe_refuses_the_old_one() {
    let cloud = Cloud::start("rolled-stripe", &["--ephemeral"]);
    let secrets = SecretsManager::of(&cloud);
    let good = secrets.get("marketplace/stripe").await;
    Client::new(cloud.ready.stripe.as_deref().unwrap())
        .bearer("sk_test_revoked")
        .get("/v1/events")
        .await
        .expect_status(401);
    // A sandbox that starts with a key that Stripe has revoked.
    secrets.put("marketplace/stripe", r#"{"secret_key": "sk_test_revoked"}"#).await;
    assert!(cloud.kill_function("payments-create", 100) > 0);
    let shopper = Shopper::new(&cloud).await;
    let pay = async |order: &str| {
        shopper.user.api.post(&format!("/orders/{order}/payment"), json!({})).await
    };
    let order = shopper.order().await;
    // A killed sandbox may get one more request.
    eventually("payments-create runs again", async || {
        (pay("ord_00000000000000000000000000").await.status == 404).then_some(())
    })
    .await;
    let before = pids(&cloud, "payments-create");
    secrets.put("marketplace/stripe", &good).await;
    pay(&order).await.expect_status(200);
    assert_eq!(pids(&cloud, "payments-create"), before, "the sandbox is the same");
}

#[tokio::test]
async fn cursors_of_the_previous_key_still_open_after_a_roll() {
    let cloud = Cloud::start("rolled-cursor", &["--ephemeral"]);
    let secrets = SecretsManager::of(&cloud);
    for _ in 0..2 {
        new_service(&cloud, "cursors").await;
    }
    let api = cloud.client();
    let first = async || {
        let page = api.get("/services?limit=1").await.expect_status(200);
        page["next_cursor"].as_str().expect("a second page").to_owned()
    };
    let next = async |cursor: &str| api.get(&format!("/services?limit=1&cursor={cursor}")).await;
    let old = first().await;
    for round in ["a", "b"] {
        let cursor = first().await;
        secrets.put("marketplace/cursor", &round.repeat(64)).await;
        // New sandboxes seal with the new key, and open cursors of the previous one.
        assert!(cloud.kill_function("services-list", 100) > 0);
        // A killed sandbox may get one more request.
        let first_page = async || (api.get("/services").await.status == 200).then_some(());
        eventually("services-list runs again", first_page).await;
        next(&cursor).await.expect_status(200);
        next(&first().await).await.expect_status(200);
    }
    next(&old).await.problem(400, "invalid_cursor");
}

#[tokio::test]
async fn a_rolled_signing_key_signs_within_a_minute_and_older_tokens_stay_valid() {
    let cloud = Cloud::start("rolled-signing-key", &["--ephemeral"]);
    let secrets = SecretsManager::of(&cloud);
    let kid = |user: &User| -> Value { ForgedToken::copy_of(user).header["kid"].clone() };
    let old = new_client(&cloud).await;
    assert_eq!(kid(&old), "local-1");
    let before = pids(&cloud, "auth-token");
    let next = json!({"signing_key": NEXT_KEY, "kid": "local-2"}).to_string();
    secrets.put("marketplace/jwt", &next).await;
    let mut waited = 0;
    let new = loop {
        let user = User::sign_in(&cloud, &old.username, &old.password).await;
        if kid(&user) == "local-2" {
            break user;
        }
        waited += 1;
        assert!(waited < 75, "the old key still signs after {waited} s");
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert!(before.iter().all(|pid| pids(&cloud, "auth-token").contains(pid)));
    for user in [&old, &new] {
        user.send_empty_update().await.expect_status(200);
    }
    old.refresh(&cloud).await.expect_status(200);
    // A key that is not published would sign tokens that nobody accepts, so it is not used.
    let unpublished = json!({"signing_key": NEXT_KEY, "kid": "local-3"}).to_string();
    secrets.put("marketplace/jwt", &unpublished).await;
    cloud.kill_function("auth-token", 100);
    let reason = "secret:marketplace/jwt-local0 has a member `kid` that does not name the key";
    eventually("the log names the secret and the member", async || {
        let refused = cloud.client().form("/auth/token", &[("grant_type", "password")]).await;
        refused.expect_status(500);
        cloud.log_text().contains(reason).then_some(())
    })
    .await;
    assert!(!cloud.log_text().contains(NEXT_KEY), "the log has the key");
}
