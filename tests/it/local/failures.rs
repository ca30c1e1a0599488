//! Tests that killed processes, database outages and restarts lose nothing.

use serde_json::json;

use super::DatabaseFaults;
use crate::support::{
    Cloud, StartFailure, User, eventually, new_client, new_service, new_worker, pay, place_order,
    sign_in, until_status, workspace,
};

/// Waits until the feed of a category's workers has an entry for the opened order, and returns how
/// many such entries it has.
async fn times_opened(worker: &User, category: &str, order: &str) -> usize {
    let opened = async || {
        let feed =
            worker.api.get(&format!("/live/feed?feed=workers:{category}")).await.expect_status(200);
        let entries = feed["items"].as_array().expect("items").clone();
        entries.iter().filter(|e| e["type"] == "order.opened" && e["data"]["id"] == order).count()
    };
    eventually("the feed has the opened order", async || (opened().await > 0).then_some(())).await;
    opened().await
}

#[tokio::test]
async fn functions_killed_during_a_request_lose_nothing() {
    let cloud = Cloud::start("kill", &["--ephemeral"]);
    let (client, worker) = (new_client(&cloud).await, new_worker(&cloud, &["kill"]).await);
    let service = new_service(&cloud, "kill").await;
    let faults = DatabaseFaults::of(&cloud);

    // The response of the write is lost, and the second attempt hangs until the process is killed.
    faults.add("orders-create", "PutItem", "lost_response", 1).await;
    faults.add("orders-create", "PutItem", "timeout", 10).await;
    let api = client.api.with_header("idempotency-key", "once");
    let body = json!({"service_id": service["id"]});
    let placing = tokio::spawn({
        let (api, body) = (api.clone(), body.clone());
        async move { api.post("/orders", body).await }
    });
    faults.until_used("orders-create", 1).await;
    faults.until_used("orders-create", 10).await;
    assert!(cloud.kill_function("orders-create", 100) > 0);
    assert_eq!(placing.await.unwrap().expect_status(500)["message"], "Internal Server Error");
    faults.clear().await;
    let again = api.post("/orders", body).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let order = again.expect_status(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(
        client.api.get("/orders").await.expect_status(200)["items"].as_array().unwrap().len(),
        1
    );

    // The processes are killed during a stream's batch. The batch is delivered again and takes
    // effect once.
    faults.add("payments-apply", "PutItem", "timeout", 10).await;
    faults.add("live-notify", "TransactWriteItems", "timeout", 10).await;
    assert_eq!(pay(&cloud, &client, &order, "pm_card_visa").await["status"], 200);
    faults.until_used("payments-apply", 10).await;
    assert!(cloud.kill_function("payments-apply", 100) > 0);
    faults.clear().await;
    faults.add("live-notify", "TransactWriteItems", "timeout", 10).await;
    faults.until_used("live-notify", 10).await;
    assert!(cloud.kill_function("live-notify", 100) > 0);
    faults.clear().await;
    until_status(&client, &order, "open").await;
    assert_eq!(times_opened(&worker, "kill", &order).await, 1);

    // The function logs a failure with the end of the request id that the caller got.
    faults.add("services-get", "GetItem", "InternalServerError", 20).await;
    let path = format!("/services/{}", service["id"].as_str().unwrap());
    let answer = cloud.client().get(&path).await;
    let id = answer.header("x-request-id").expect("an id").to_owned();
    assert!(answer.status.is_server_error(), "{:#}", answer.body);
    let (log, end) = (cloud.log_text(), &id[id.len() - 8..]);
    let lines: Vec<_> =
        log.lines().filter(|l| l.contains(" services-get ") && l.contains(end)).collect();
    assert!(lines.iter().any(|line| line.contains("ERROR")), "{id}: {lines:?}");

    assert!(cloud.stop("INT").await.success());
}

#[tokio::test]
async fn a_database_outage_delays_notifications_and_loses_none() {
    let cloud = Cloud::start("outage", &["--ephemeral"]);
    let (client, worker) = (new_client(&cloud).await, new_worker(&cloud, &["outage"]).await);
    let order = place_order(&client, &new_service(&cloud, "outage").await).await;
    let faults = DatabaseFaults::of(&cloud);
    // The event goes to three feeds, the SDK tries each write three times, and the stream retries a
    // record ten times. This outage lasts longer.
    let times = 3 * 3 * 12;
    faults.add("live-notify", "TransactWriteItems", "InternalServerError", times).await;
    assert_eq!(pay(&cloud, &client, &order, "pm_card_visa").await["status"], 200);
    until_status(&client, &order, "open").await;
    assert_eq!(times_opened(&worker, "outage", &order).await, 1);
    faults.until_used("live-notify", times).await;
    let log = cloud.log_text();
    assert!(
        log.contains("failed to append to feed workers:outage")
            && !log.contains("records discarded"),
        "the stream waited for the database"
    );
}

#[tokio::test]
async fn a_database_outage_does_not_count_as_failed_sign_ins() {
    let limit = "SIGN_INS_PER_USERNAME=2/1000000000";
    let cloud = Cloud::start("sign-in-outage", &["--ephemeral", "--env", limit]);
    let api = cloud.client();
    // The user has not signed in from here before, because known IP addresses have their own limit.
    let account = json!({
        "username": "outage", "email": "outage@example.com", "password": "correct horse",
    });
    api.post("/auth/register", account).await.expect_status(201);
    let faults = DatabaseFaults::of(&cloud);
    faults.add("auth-token", "GetItem", "InternalServerError", 1_000_000).await;
    for _ in 0..3 {
        let answer = sign_in(&api, "outage", "correct horse").await;
        assert!(answer.status.is_server_error(), "{:#}", answer.body);
    }
    faults.clear().await;
    sign_in(&api, "outage", "correct horse").await.expect_status(200);
}

#[tokio::test]
async fn a_killed_cloud_resumes_from_its_data_directory() {
    let directory = workspace().join("target/tests/data");
    drop(std::fs::remove_dir_all(&directory));
    let flags = ["--data-dir", directory.to_str().unwrap()];
    let cloud = Cloud::start("data-1", &flags);
    let (before, worker_before) = (new_client(&cloud).await, new_worker(&cloud, &["data"]).await);
    let order = place_order(&before, &new_service(&cloud, "data").await).await;
    // No entry about the order is written while this cloud runs.
    DatabaseFaults::of(&cloud)
        .add("live-notify", "TransactWriteItems", "InternalServerError", 1_000_000)
        .await;
    assert_eq!(pay(&cloud, &before, &order, "pm_card_visa").await["status"], 200);
    until_status(&before, &order, "open").await;

    let second = Cloud::try_start(
        "data-taken",
        &[&flags[..], &["--http-port", "0", "--ws-port", "0", "--no-build"]].concat(),
    );
    let StartFailure { log, .. } = second.err().expect("the directory is taken");
    assert!(
        log.starts_with("error: another local cloud is running on the data directory"),
        "{log}"
    );

    assert!(!cloud.stop("KILL").await.success());
    let cloud = Cloud::start("data-2", &flags);
    let client = User::sign_in(&cloud, &before.username, &before.password).await;
    let worker = User::sign_in(&cloud, &worker_before.username, &worker_before.password).await;
    assert_eq!(times_opened(&worker, "data", &order).await, 1);
    // The Stripe stand-in has kept the payment as well.
    let confirmed = client
        .api
        .post(&format!("/orders/{order}/payment/confirm"), json!({}))
        .await
        .expect_status(200);
    assert_eq!(confirmed["payment_status"], "paid");
    worker.api.post(&format!("/orders/{order}/accept"), json!({})).await.expect_status(200);
    assert!(cloud.stop("TERM").await.success());
}
