//! Tests that secrets never appear in the log, or in a response that is not meant to contain them.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    Cloud, Response, SecretsManager, Shopper, Socket, User, admin, eventually, local_env,
    new_worker, pay, read, shared_cloud, statuses, unique, workspace,
};

/// A secret, and the steps whose responses may contain it.
struct Secret {
    name: &'static str,
    value: String,
    in_steps: &'static [&'static str],
}

/// Every response so far, with the name of its step.
struct Walk {
    answers: Vec<(&'static str, String)>,
}

impl Walk {
    fn record(&mut self, step: &'static str, answer: Response) -> Response {
        self.answers.push((step, format!("{:?} {}", answer.headers, answer.body)));
        answer
    }
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer:#}")).to_owned()
}

#[tokio::test]
async fn no_secret_reaches_the_log_or_an_unrelated_answer() {
    let mark = unique("canary");
    let cursor_key = format!("{mark}-cursor-key-{mark}-cursor-key");
    let env =
        ["--ephemeral", "--env", "LOG_LEVEL=debug", "--env", &format!("CURSOR_KEY={cursor_key}")];
    let cloud = Cloud::start("secrets", &env);
    let webhook_secret = cloud.ready.webhook_secret.clone().expect("the stand-in's secret");
    let mut walk = Walk { answers: Vec::new() };
    let api = cloud.client();

    // Registering and signing in, with success and with errors.
    let (username, email) = (unique("walker"), format!("{mark}-mail"));
    let (password, wrong) = (format!("{mark}-password"), format!("{mark}-wrong"));
    let fields = json!({
        "username": username, "email": format!("{email}@example.com"), "password": password,
        "role": "client",
    });
    for (step, change) in [
        ("register: wrong fields", json!({"role": "admin", "surprise": wrong})),
        ("register", json!({})),
        ("register again", json!({})),
    ] {
        let mut fields = fields.clone();
        fields.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        walk.record(step, api.post("/auth/register", fields).await);
    }
    let grant = |username: &str, password: &str| {
        json!({
            "grant_type": "password", "username": username, "password": password,
        })
    };
    walk.record("wrong password", api.post("/auth/token", grant(&username, &wrong)).await)
        .problem(401, "invalid_grant");
    walk.record("unknown name", api.post("/auth/token", grant(&wrong, &password)).await)
        .problem(401, "invalid_grant");
    let signed_in = walk
        .record(
            "token",
            api.post("/auth/token", grant(&format!("{email}@example.com"), &password)).await,
        )
        .expect_status(200);
    let (access, refresh) = (text(&signed_in, "access_token"), text(&signed_in, "refresh_token"));
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let refreshed = walk.record("token", api.form("/auth/token", &again).await).expect_status(200);
    let (second_access, second_refresh) =
        (text(&refreshed, "access_token"), text(&refreshed, "refresh_token"));
    let made_up = [("grant_type", "refresh_token"), ("refresh_token", wrong.as_str())];
    walk.record("made-up refresh token", api.form("/auth/token", &made_up).await)
        .problem(401, "invalid_grant");
    let me = User {
        username,
        password: password.clone(),
        access_token: second_access.clone(),
        refresh_token: second_refresh.clone(),
        api: api.bearer(&second_access),
    };

    // Requests that are rejected before they are read, with secrets in every part.
    walk.record(
        "not JSON",
        api.send(
            Method::POST,
            "/auth/token",
            "application/json",
            format!("{{\"password\":\"{password}\"").into(),
        )
        .await,
    );
    walk.record(
        "no type",
        api.send(Method::POST, "/auth/token", "text/plain", password.clone().into()).await,
    );
    walk.record(
        "too large",
        api.post("/auth/register", json!({"password": password.repeat(4000)})).await,
    );
    walk.record(
        "in the query",
        me.api.get(&format!("/services?password={password}&cursor={second_refresh}")).await,
    );
    walk.record(
        "no bearer",
        api.with_header("authorization", &format!("Basic {password}")).get("/auth/me").await,
    );
    walk.record("forged", api.bearer(&format!("{access}x")).get("/auth/me").await);
    walk.record("me", me.api.get("/auth/me").await).expect_status(200);

    // A paid order and a message.
    let (admin, worker) = (admin(&cloud).await, new_worker(&cloud, &[]).await);
    let fields = json!({
        "name": "S", "description": "", "category": "C",
        "price": {"amount": 1999, "currency": "usd"},
    });
    let service = text(
        &walk
            .record("service", admin.api.post("/services", fields.clone()).await)
            .expect_status(201),
        "id",
    );
    walk.record("service", admin.api.post("/services", fields).await).expect_status(201);
    let page = walk.record("services", api.get("/services?limit=1").await).expect_status(200);
    walk.record(
        "services",
        api.get(&format!("/services?limit=1&cursor={}", text(&page, "next_cursor"))).await,
    )
    .expect_status(200);
    let (note, message) = (format!("{mark}-note"), format!("{mark}-message"));
    let order = me.api.post("/orders", json!({"service_id": service, "note": note})).await;
    let order = text(&walk.record("order", order).expect_status(201), "id");
    let path = format!("/orders/{order}");
    let payment = walk
        .record("payment", me.api.post(&format!("{path}/payment"), json!({})).await)
        .expect_status(200);
    let client_secret = text(&payment, "client_secret");
    let (mut socket, _) = Socket::connect_and_hello(&worker, json!({})).await;
    pay(&cloud, &me, &order, "pm_card_visa").await;
    socket.next_entry("order.opened", &order).await;
    walk.record("paid", me.api.get(&format!("{path}/payment")).await).expect_status(200);
    walk.record("accept", worker.api.post(&format!("{path}/accept"), json!({})).await)
        .expect_status(200);
    walk.record(
        "message",
        me.api.post(&format!("{path}/messages"), json!({"text": message})).await,
    )
    .expect_status(201);

    // A forged webhook and a socket.
    let forged = api.with_header("stripe-signature", &format!("t=1,v1={webhook_secret}"));
    walk.record(
        "forged webhook",
        forged.post("/webhooks/stripe", json!({"id": mark, "secret": password})).await,
    )
    .problem(400, "invalid_signature");
    let ticket =
        walk.record("ticket", me.api.post("/live/tickets", json!({})).await).expect_status(200);
    let (url, ticket) = (text(&ticket, "url"), text(&ticket, "ticket"));
    Socket::open(&url, None).await.expect("the handshake is accepted");
    Socket::handshake_status(&url, None).await;
    // A refresh token that is reused after its successor ends the session, which is logged.
    let next = [("grant_type", "refresh_token"), ("refresh_token", second_refresh.as_str())];
    walk.record("token", api.form("/auth/token", &next).await).expect_status(200);
    let reused = walk.record("reused", api.form("/auth/token", &again).await);
    assert!(reused.status.is_client_error(), "{reused:?}");

    let secret = |name, value: &str, in_steps| Secret { name, value: value.to_owned(), in_steps };
    let secrets = [
        secret("password", &password, &[]),
        secret("wrong password", &wrong, &[]),
        secret("e-mail address", &email, &["register", "me"]),
        secret("access token", &access, &["token"]),
        secret("access token", &second_access, &["token"]),
        secret("refresh token", &refresh, &["token"]),
        secret("refresh token", &second_refresh, &["token"]),
        secret("note", &note, &["order", "accept"]),
        secret("message", &message, &["message"]),
        secret("client secret", &client_secret, &["payment"]),
        secret("ticket", &ticket, &["ticket"]),
        secret("webhook secret", &webhook_secret, &[]),
        secret("Stripe key", &local_env("STRIPE_SECRET_KEY"), &[]),
        secret("signing key", &local_env("JWT_SIGNING_KEY"), &[]),
        secret("cursor key", &cursor_key, &[]),
    ];
    for Secret { name, value, in_steps } in &secrets {
        for (step, answer) in &walk.answers {
            assert!(
                !answer.contains(value) || in_steps.contains(step),
                "{step} contains the {name}: {answer}"
            );
        }
        let given = |step: &&str| {
            walk.answers.iter().any(|(at, answer)| at == step && answer.contains(value))
        };
        assert!(
            in_steps.is_empty() || in_steps.iter().any(given),
            "no response contains the {name}: is the search right?"
        );
    }

    // The log is complete once the cloud has ended.
    drop(cloud);
    let log =
        std::fs::read_to_string(workspace().join("target/tests/secrets.log")).expect("the log");
    for known in [&order, &service, "invalid_grant", "POST /auth/token"] {
        assert!(log.contains(known), "the log does not have {known}");
    }
    for Secret { name, value, .. } in &secrets {
        if let Some(line) = log.lines().find(|line| line.contains(value)) {
            panic!("the {name} is in the log: {line}");
        }
    }
}

#[tokio::test]
async fn no_payment_secret_reaches_the_log() {
    let cloud = Cloud::start("secrets-payments", &["--ephemeral"]);
    let shopper = Shopper::new(&cloud).await;
    let declined = shopper.checkout().await;
    declined.pay("pm_card_chargeDeclinedInsufficientFunds").await.expect_status(402);
    declined.until_statuses("pending", "failed").await;
    let paid = shopper.paid("pm_card_visa").await;
    paid.cancel().await.expect_status(200);
    paid.until_statuses("canceled", "refunded").await;
    shopper.stripe.post("t=1,v1=00", b"{}").await.problem(400, "invalid_signature");
    let payment = shopper
        .user
        .api
        .post(&format!("/orders/{}/payment", paid.order), json!({}))
        .await
        .expect_status(200);
    let log = cloud.log_text();
    assert!(log.contains(&paid.intent), "the log is this cloud's");
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
    assert_eq!(statuses(&paid.read().await), ("canceled".into(), "refunded".into()));
}

/// The environment of each function's process.
fn environments(cloud: &Cloud) -> BTreeMap<String, BTreeMap<String, String>> {
    let read = |(pid, function): (u32, String)| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let environment = String::from_utf8(environment).expect("text");
        let pairs = environment.split('\0').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some((function, pairs.collect()))
    };
    // A process that has just been started may not have its own environment yet.
    let is_functions =
        |(_, environment): &(_, BTreeMap<_, _>)| environment.contains_key("AWS_ACCESS_KEY_ID");
    cloud.processes().into_iter().filter_map(read).filter(is_functions).collect()
}

#[tokio::test]
async fn no_function_has_a_secret_in_its_configuration() {
    let template = read("template.yaml");
    for forbidden in ["{{resolve:", "NoEcho"] {
        assert!(!template.contains(forbidden), "template.yaml contains {forbidden}");
    }
    let cloud = shared_cloud();
    let webhook_secret = cloud.ready.webhook_secret.clone().expect("the stand-in's secret");
    let secrets = ["JWT_SIGNING_KEY", "CURSOR_KEY", "STRIPE_SECRET_KEY"].map(local_env);
    for (function, environment) in environments(cloud) {
        for (name, value) in environment {
            let secret = secrets.iter().chain([&webhook_secret]).find(|s| value.contains(*s));
            assert!(secret.is_none(), "{name} of {function} contains a secret");
        }
    }
}

#[tokio::test]
async fn each_function_may_read_its_one_secret_and_no_other() {
    // Its own, in which every function still has the process that it was started with.
    let cloud = Cloud::start("secret-policies", &["--ephemeral"]);
    let developer = SecretsManager::of(&cloud);
    let mut readers = BTreeMap::<&str, usize>::new();
    let environments = eventually("every function runs", async || {
        Some(environments(&cloud)).filter(|found| found.len() == cloud.ready.functions.len())
    })
    .await;
    for (function, environment) in environments {
        let caller = developer.signed_by(&environment["AWS_ACCESS_KEY_ID"]);
        let is_secret = |value: &&String| value.starts_with("arn:aws:secretsmanager:");
        let named: Vec<_> = environment.values().filter(is_secret).collect();
        assert!(named.len() <= 1, "{function} has several secrets: {named:?}");
        for name in ["cursor", "jwt", "stripe", "stripe-webhook"] {
            let id = format!("marketplace/{name}");
            let answer = caller.call("GetSecretValue", json!({"SecretId": id})).await;
            let is_named = named.iter().any(|arn| arn.contains(&format!(":secret:{id}-local0")));
            assert_eq!(answer.status == 200, is_named, "{function}, {id}: {}", answer.body);
            *readers.entry(name).or_default() += usize::from(is_named);
        }
    }
    assert!(readers.values().all(|count| *count > 0), "{readers:?}");
    assert_eq!((readers["jwt"], readers["stripe-webhook"]), (1, 1));
}
