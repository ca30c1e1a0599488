//! `GET /webhooks/stripe/events`.

use super::harmless;
use crate::support::{
    Stripe, admin, new_client, new_worker, now, shared_cloud, signature, until_event,
};

#[tokio::test]
async fn only_administrators_list_events_by_state() {
    let cloud = shared_cloud();
    let (stripe, admin) = (Stripe::of(cloud), admin(cloud).await);
    let (id, body) = harmless();
    stripe.post(&signature(stripe.secret(), now(), &body), &body).await.expect_status(200);
    let listed = until_event(&admin, "ignored", &id).await;
    assert_eq!(
        (&listed["type"], &listed["state"]),
        (&"customer.created".into(), &"ignored".into())
    );

    let path = "/webhooks/stripe/events?state=unreadable";
    for user in [new_client(cloud).await, new_worker(cloud, &[]).await] {
        user.api.get(path).await.problem(403, "forbidden");
    }
    cloud.client().get(path).await.problem(401, "unauthenticated");
    for wrong in ["", "?state=all", "?state=pending&state=applied", "?state=applied&limit=0"] {
        admin
            .api
            .get(&format!("/webhooks/stripe/events{wrong}"))
            .await
            .problem(422, "validation_failed");
    }
}
