//! `GET /orders/{id}/payment`, and who may do what with a payment.

use serde_json::json;

use crate::support::{Shopper, cloud, ledger, worker};

#[tokio::test]
async fn a_payment_is_visible_to_its_client_and_administrators_only() {
    let cloud = cloud();
    let (shopper, stranger) = (Shopper::new(cloud).await, crate::support::client(cloud).await);
    let admin = &shopper.admin;
    let (pool, holder) = (worker(cloud, &[]).await, worker(cloud, &[]).await);
    let (pending, open, taken) = (
        shopper.checkout().await,
        shopper.paid("pm_card_visa").await,
        shopper.paid("pm_card_visa").await,
    );
    holder.api.post(&format!("/orders/{}/accept", taken.order), json!({})).await.expect(200);
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
        // To call a payment off is for clients, of whatever order.
        let status = if user.username == stranger.username { 404 } else { 403 };
        cancel.problem(status, if status == 404 { "not_found" } else { "forbidden" });
    }
    let path = format!("/orders/{}/payment", pending.order);
    for doing in ["", "/confirm", "/cancel"] {
        let path = format!("{path}{doing}");
        admin.api.post(&path, json!({})).await.problem(403, "forbidden");
        cloud.client().post(&path, json!({})).await.problem(401, "unauthenticated");
        shopper
            .user
            .api
            .post(&path, json!({"order_id": "another"}))
            .await
            .problem(422, "validation_failed");
    }
    // Administrators see more: what Stripe keeps, and whether to look into it.
    let path = format!("/orders/{}/payment", open.order);
    let (theirs, ours) = (admin.api.get(&path).await.expect(200), open.payment().await);
    assert_eq!((ledger(&theirs).len(), &theirs["attention"]), (2, &json!([])));
    assert_eq!((ledger(&ours), ours.get("attention")), (vec![("charge", 1999)], None));
    assert_eq!(theirs["ledger"][1]["kind"], "fee");
    for id in ["ord_unknown", "..", "%00", &format!("ord_{}", "0".repeat(26))] {
        shopper.user.api.post(&format!("/orders/{id}/payment"), json!({})).await.expect(404);
    }
    // None of it was anybody's doing.
    assert_eq!(pending.states().await, ("pending".into(), "unpaid".into()));
    assert_eq!(open.states().await, ("open".into(), "paid".into()));
}
