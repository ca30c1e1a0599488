//! Who may read, create, confirm and cancel a payment.

use serde_json::json;

use crate::support::{Shopper, new_client, new_worker, shared_cloud};

#[tokio::test]
async fn only_its_client_acts_on_a_payment_and_administrators_read_it() {
    let cloud = shared_cloud();
    let (shopper, stranger) = (Shopper::new(cloud).await, new_client(cloud).await);
    let admin = &shopper.admin;
    let (pool, holder) = (new_worker(cloud, &[]).await, new_worker(cloud, &[]).await);
    let (pending, open, taken) = (
        shopper.checkout().await,
        shopper.paid("pm_card_visa").await,
        shopper.paid("pm_card_visa").await,
    );
    holder.api.post(&format!("/orders/{}/accept", taken.order), json!({})).await.expect_status(200);
    for (user, order, status) in [
        (&stranger, &pending, 404),
        (&stranger, &open, 404),
        (&pool, &pending, 404),
        (&pool, &open, 403),
        (&pool, &taken, 404),
        (&holder, &taken, 403),
    ] {
        let path = format!("/orders/{}/payment", order.order);
        let answers = [
            user.api.get(&path).await,
            user.api.post(&path, json!({})).await,
            user.api.post(&format!("{path}/confirm"), json!({})).await,
        ];
        for answer in answers {
            answer.problem(status, if status == 404 { "not_found" } else { "forbidden" });
        }
        let cancel = user.api.post(&format!("{path}/cancel"), json!({})).await;
        // Only clients may call this endpoint, so workers get 403 for every order.
        let status = if user.username == stranger.username { 404 } else { 403 };
        cancel.problem(status, if status == 404 { "not_found" } else { "forbidden" });
    }
    let path = format!("/orders/{}/payment", pending.order);
    for action in ["", "/confirm", "/cancel"] {
        let path = format!("{path}{action}");
        admin.api.post(&path, json!({})).await.problem(403, "forbidden");
        cloud.client().post(&path, json!({})).await.problem(401, "unauthenticated");
        shopper
            .user
            .api
            .post(&path, json!({"order_id": "another"}))
            .await
            .problem(422, "validation_failed");
    }
    let path = format!("/orders/{}/payment", open.order);
    admin.api.get(&path).await.expect_status(200);
    for id in ["ord_unknown", "..", "%00", &format!("ord_{}", "0".repeat(26))] {
        shopper.user.api.post(&format!("/orders/{id}/payment"), json!({})).await.expect_status(404);
    }
    // None of these requests changed an order.
    assert_eq!(pending.statuses().await, ("pending".into(), "unpaid".into()));
    assert_eq!(open.statuses().await, ("open".into(), "paid".into()));
}
