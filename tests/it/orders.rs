//! Orders and the claim pool.

use serde_json::json;

use crate::support::{client, cloud, open_order, place, service, unique, worker};

#[tokio::test]
async fn of_many_workers_at_once_one_gets_the_order_and_the_rest_are_told_its_state() {
    let cloud = cloud();
    let client = client(cloud).await;
    let order = open_order(cloud, &client, &unique("race")).await;
    let mut workers = Vec::new();
    for _ in 0..10 {
        workers.push(worker(cloud, &[]).await);
    }
    // Each tries twenty times at once: two hundred in all.
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
async fn an_order_that_is_not_paid_cannot_be_claimed_and_is_unknown_to_workers() {
    let cloud = cloud();
    let (client, worker) = (client(cloud).await, worker(cloud, &[]).await);
    let order = place(&client, &service(cloud, "unpaid").await).await;
    worker.api.get(&format!("/orders/{order}")).await.problem(404, "not_found");
    worker.api.post(&format!("/orders/{order}/accept"), json!({})).await.problem(404, "not_found");
}

#[tokio::test]
async fn an_order_is_its_partys_business_only() {
    let cloud = cloud();
    let (owner, stranger) = (client(cloud).await, client(cloud).await);
    let order = place(&owner, &service(cloud, "private").await).await;
    for (path, post) in [("", false), ("/complete", true), ("/deliver", true), ("/payment", true)] {
        let path = format!("/orders/{order}{path}");
        let answer = if post {
            stranger.api.post(&path, json!({})).await
        } else {
            stranger.api.get(&path).await
        };
        let status = answer.status.as_u16();
        assert!(status == 404 || status == 403, "{path}: {status}");
    }
    let listed = stranger.api.get("/orders").await.expect(200);
    assert_eq!(listed["items"], json!([]));
    assert_eq!(
        owner.api.get("/orders?status=pending").await.expect(200)["items"][0]["id"],
        order.as_str()
    );
    assert_eq!(owner.api.get("/orders?status=open").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_request_that_is_repeated_with_its_key_places_one_order_and_gets_the_first_answer() {
    let cloud = cloud();
    let owner = client(cloud).await;
    let service = service(cloud, "again").await;
    let api = owner.api.with("idempotency-key", &unique("key"));
    let body = json!({"service_id": service["id"], "note": "once"});
    let tries = (0..10).map(|_| api.post("/orders", body.clone()));
    let answers = futures::future::join_all(tries).await;
    let replayed =
        answers.iter().filter(|a| a.header("idempotent-replayed") == Some("true")).count();
    assert_eq!(replayed, 9);
    let bodies: Vec<_> = answers.into_iter().map(|a| a.expect(201)).collect();
    assert!(bodies.iter().all(|b| *b == bodies[0]), "{bodies:#?}");
    assert_eq!(
        owner.api.get("/orders").await.expect(200)["items"].as_array().map(Vec::len),
        Some(1)
    );
    api.post("/orders", json!({"service_id": service["id"], "note": "twice"}))
        .await
        .problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_move_that_is_repeated_with_its_key_gets_the_first_answer_even_after_the_order_has_moved_on()
 {
    let cloud = cloud();
    let (client, worker) = (client(cloud).await, worker(cloud, &[]).await);
    let order = open_order(cloud, &client, &unique("replay")).await;
    let keyed = worker.api.with("idempotency-key", &unique("key"));
    let path = format!("/orders/{order}/accept");
    let first = keyed.post(&path, json!({})).await.expect(200);
    worker.api.post(&format!("/orders/{order}/deliver"), json!({})).await.expect(200);
    let again = keyed.post(&path, json!({})).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let again = again.expect(200);
    assert_eq!((&again["status"], &again["version"]), (&first["status"], &first["version"]));
    keyed.post(&path, json!({"note": "other"})).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn if_match_guards_a_move_against_a_change_in_between() {
    let cloud = cloud();
    let (client, worker) = (client(cloud).await, worker(cloud, &[]).await);
    let order = open_order(cloud, &client, &unique("match")).await;
    let path = format!("/orders/{order}/accept");
    worker
        .api
        .with("if-match", "\"1\"")
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
    worker.api.with("if-match", &etag).post(&path, json!({})).await.expect(200);
}
