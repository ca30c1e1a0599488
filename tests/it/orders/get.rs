//! `GET /orders/{id}`, and who may see an order at all.

use serde_json::json;

use crate::support::{client, cloud, place, service};

#[tokio::test]
async fn an_order_is_visible_only_to_its_parties() {
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
