//! `GET /orders`.

use serde_json::json;

use crate::support::{new_client, new_service, place_order, shared_cloud};

#[tokio::test]
async fn users_list_their_own_orders_and_filter_by_status() {
    let cloud = shared_cloud();
    let (owner, stranger) = (new_client(cloud).await, new_client(cloud).await);
    let order = place_order(&owner, &new_service(cloud, "private").await).await;
    let listed = stranger.api.get("/orders").await.expect_status(200);
    assert_eq!(listed["items"], json!([]));
    assert_eq!(
        owner.api.get("/orders?status=pending").await.expect_status(200)["items"][0]["id"],
        order.as_str()
    );
    assert_eq!(owner.api.get("/orders?status=open").await.expect_status(200)["items"], json!([]));
}

#[tokio::test]
async fn unknown_parameters_and_cursors_are_rejected() {
    let owner = new_client(shared_cloud()).await;
    let errors = owner.api.get("/orders?status=lost&limit=0&page=2").await.field_errors();
    let mut fields: Vec<_> = errors.iter().map(|(field, _)| field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["limit", "page", "status"]);
    owner.api.get("/orders?cursor=made-up").await.problem(400, "invalid_cursor");
}
