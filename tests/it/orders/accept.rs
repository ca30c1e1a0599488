//! `POST /orders/{id}/accept`.

use serde_json::{Value, json};

use super::actions;
use crate::support::{
    TestOrder, User, admin, new_client, new_service, new_worker, place_order, place_paid_order,
    shared_cloud, unique,
};

#[tokio::test]
async fn one_of_many_concurrent_workers_gets_the_order() {
    let cloud = shared_cloud();
    let client = new_client(cloud).await;
    let order = place_paid_order(cloud, &client, &unique("race")).await;
    let mut workers = Vec::new();
    for _ in 0..10 {
        workers.push(new_worker(cloud, &[]).await);
    }
    // Each of the ten workers sends twenty requests, all at once.
    let tries = (0..200).map(|n: usize| {
        let api = workers[n % workers.len()].api.clone();
        let path = format!("/orders/{order}/accept");
        async move { api.post(&path, json!({})).await }
    });
    let answers = futures::future::join_all(tries).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 200);
    assert_eq!(won.len(), 1);
    for answer in lost {
        let problem = answer.problem(409, "illegal_transition");
        assert_eq!(problem["order_status"], "assigned");
    }
}

#[tokio::test]
async fn an_unpaid_order_is_invisible_to_workers_and_cannot_be_accepted() {
    let cloud = shared_cloud();
    let (client, worker) = (new_client(cloud).await, new_worker(cloud, &[]).await);
    let order = place_order(&client, &new_service(cloud, "unpaid").await).await;
    worker.api.get(&format!("/orders/{order}")).await.problem(404, "not_found");
    worker.api.post(&format!("/orders/{order}/accept"), json!({})).await.problem(404, "not_found");
}

/// A client whose role changes to worker sees their own order in the pool, but cannot accept it.
#[tokio::test]
async fn neither_the_client_nor_a_suspended_worker_can_accept() {
    let cloud = shared_cloud();
    let admin = admin(cloud).await;
    let order = TestOrder::in_status(cloud, "open").await;
    let change = async |user: &User, change: Value| {
        let path = format!("/users/{}", user.id().await);
        admin.api.patch(&path, change).await.expect_status(200)
    };
    change(&order.client, json!({"role": "worker"})).await;
    let turned = User::sign_in(cloud, &order.client.username, &order.client.password).await;
    let read = order.read(&turned).await;
    assert_eq!(actions(&read), Vec::<String>::new());
    let category = read["service"]["category"].as_str().expect("a category").replace(' ', "%20");
    let pool =
        turned.api.get(&format!("/orders/open?category={category}")).await.expect_status(200);
    assert_eq!(pool["items"], json!([read]));
    turned.api.post(&order.path("accept"), json!({})).await.problem(403, "own_order");

    // The suspended worker's access token stays valid for some minutes.
    change(&order.worker, json!({"status": "suspended"})).await;
    order.worker.api.post(&order.path("accept"), json!({})).await.problem(403, "account_suspended");
    let taken = order.read(&turned).await;
    assert_eq!(taken["status"], "open");

    // An administrator cannot assign an order to a suspended worker either.
    let assigned = TestOrder::in_status(cloud, "assigned").await;
    let suspended = format!("/users?q={}", order.worker.username);
    let suspended = admin.api.get(&suspended).await.expect_status(200)["items"][0]["id"].clone();
    let body = json!({"worker_id": suspended});
    admin.api.post(&assigned.path("reassign"), body).await.problem(409, "worker_not_eligible");
}

#[tokio::test]
async fn a_repeated_idempotency_key_gets_the_first_answer_after_later_transitions() {
    let cloud = shared_cloud();
    let (client, worker) = (new_client(cloud).await, new_worker(cloud, &[]).await);
    let order = place_paid_order(cloud, &client, &unique("replay")).await;
    let keyed = worker.api.with_header("idempotency-key", &unique("key"));
    let path = format!("/orders/{order}/accept");
    let first = keyed.post(&path, json!({})).await.expect_status(200);
    worker.api.post(&format!("/orders/{order}/deliver"), json!({})).await.expect_status(200);
    let again = keyed.post(&path, json!({})).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let again = again.expect_status(200);
    assert_eq!((&again["status"], &again["version"]), (&first["status"], &first["version"]));
    keyed.post(&path, json!({"note": "other"})).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn if_match_guards_against_a_change_in_between() {
    let cloud = shared_cloud();
    let (client, worker) = (new_client(cloud).await, new_worker(cloud, &[]).await);
    let order = place_paid_order(cloud, &client, &unique("match")).await;
    let path = format!("/orders/{order}/accept");
    worker
        .api
        .with_header("if-match", "\"1\"")
        .post(&path, json!({}))
        .await
        .problem(412, "precondition_failed");
    let etag = worker
        .api
        .get(&format!("/orders/{order}"))
        .await
        .header("etag")
        .expect("an etag")
        .to_owned();
    worker.api.with_header("if-match", &etag).post(&path, json!({})).await.expect_status(200);
}
