//! `POST /orders/{id}/reassign`.

use serde_json::{Value, json};

use crate::support::{Job, admin, client, cloud, worker};

#[tokio::test]
async fn an_administrator_reassigns_an_order_or_returns_it_to_the_pool() {
    let cloud = cloud();
    let (admin, second) = (admin(cloud).await, worker(cloud, &[]).await);
    let job = Job::in_state(cloud, "assigned").await;
    let path = job.path("reassign");
    let nobody = json!({"worker_id": "usr_00000000000000000000000000"});
    let wrong = admin.api.post(&path, nobody).await.wrong_fields();
    assert_eq!(wrong, [("worker_id".to_owned(), "unknown_user".to_owned())]);
    // Its client, its worker, the administrator who asks, another client: none of them can take it.
    for unfit in [&job.client, &job.worker, &admin, &client(cloud).await] {
        let body = json!({"worker_id": unfit.id().await});
        admin.api.post(&path, body).await.problem(409, "worker_not_eligible");
    }
    let given = admin.api.post(&path, json!({"worker_id": second.id().await})).await.expect(200);
    assert_eq!(
        (&given["status"], &given["worker"]["username"]),
        (&json!("assigned"), &json!(second.username))
    );
    job.worker.api.post(&job.path("deliver"), json!({})).await.problem(404, "not_found");
    assert_eq!(second.api.get("/orders").await.expect(200)["items"][0]["id"], job.id.as_str());
    assert_eq!(job.worker.api.get("/orders").await.expect(200)["items"], json!([]));

    let back = admin.api.post(&path, json!({})).await.expect(200);
    assert_eq!((&back["status"], &back["worker"]), (&json!("open"), &Value::Null));
    second.api.post(&job.path("accept"), json!({})).await.expect(200);
}
