//! `DELETE /services/{id}`.

use serde_json::json;

use super::{add, list};
use crate::support::{admin, new_client, price, shared_cloud, unique};

#[tokio::test]
async fn a_deactivated_service_is_visible_to_administrators_only() {
    let cloud = shared_cloud();
    let (admin, category) = (admin(cloud).await.api, unique("gone"));
    let (buyer, anyone) = (new_client(cloud).await.api, cloud.client());
    let id = add(&admin, "Short-lived", "", &category, price(700)).await;
    let (path, listed) = (format!("/services/{id}"), format!("/services?category={category}"));
    buyer.delete(&path).await.problem(403, "forbidden");
    anyone.patch(&path, json!({"name": "x"})).await.problem(401, "unauthenticated");

    admin.delete(&path).await.expect_status(204);
    admin.delete(&path).await.expect_status(204);
    for api in [&anyone, &buyer] {
        api.get(&path).await.problem(404, "not_found");
        assert_eq!(list(api, &listed).await, [""; 0]);
    }
    buyer.post("/orders", json!({"service_id": id})).await.problem(404, "not_found");
    let seen = admin.get(&path).await;
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    assert_eq!(seen.expect_status(200)["status"], "deactivated");
    let deactivated = format!("{listed}&status=deactivated");
    assert_eq!(list(&admin, &deactivated).await, std::slice::from_ref(&id));
    assert_eq!(
        list(&admin, &format!("{deactivated}&sort=price&q=short")).await,
        std::slice::from_ref(&id)
    );
    buyer.get(&deactivated).await.problem(403, "forbidden");
    anyone.get(&deactivated).await.problem(401, "unauthenticated");

    assert_eq!(
        admin.patch(&path, json!({"status": "active"})).await.expect_status(200)["status"],
        "active"
    );
    assert_eq!(list(&anyone, &listed).await, [id]);
    assert_eq!(list(&admin, &deactivated).await, [""; 0]);
    admin.delete("/services/svc_0190163d8694739bae4fbe0e0bd4c5c1").await.problem(404, "not_found");
}
