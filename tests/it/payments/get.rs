//! `GET /orders/{id}/payment`.

use serde_json::json;

use crate::support::{Shopper, ledger, shared_cloud};

#[tokio::test]
async fn administrators_also_see_fees_and_what_needs_attention() {
    let shopper = Shopper::new(shared_cloud()).await;
    let (admin, paid) = (&shopper.admin, shopper.paid("pm_card_visa").await);
    let path = format!("/orders/{}/payment", paid.order);
    let (admin_view, client_view) =
        (admin.api.get(&path).await.expect_status(200), paid.payment().await);
    assert_eq!((ledger(&admin_view).len(), &admin_view["attention"]), (2, &json!([])));
    assert_eq!(
        (ledger(&client_view), client_view.get("attention")),
        (vec![("charge", 1999)], None)
    );
    assert_eq!(admin_view["ledger"][1]["kind"], "fee");
}
