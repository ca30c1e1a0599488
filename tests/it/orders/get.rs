//! `GET /orders/{id}`, and who may see an order at all.

use serde_json::json;

use crate::support::{new_client, new_service, place_order, shared_cloud};

#[tokio::test]
async fn an_order_is_visible_only_to_its_parties() {
    let cloud = shared_cloud();
    let (owner, stranger) = (new_client(cloud).await, new_client(cloud).await);
    let order = place_order(&owner, &new_service(cloud, "private").await).await;
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
    let read = owner.api.get(&format!("/orders/{order}")).await;
    assert_eq!(read.header("etag"), Some("\"1\""));
    let read = read.expect_status(200);
    assert_eq!((&read["id"], &read["status"]), (&json!(order), &json!("pending")));
    assert_eq!(read["client"]["username"], owner.username.as_str());
}

#[tokio::test]
async fn malformed_and_unknown_ids_are_not_found() {
    let user = new_client(shared_cloud()).await;
    for id in ["x", "ord_", "%00", "ord_00000000000000000000000000"] {
        user.api.get(&format!("/orders/{id}")).await.problem(404, "not_found");
    }
}
