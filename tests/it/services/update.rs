//! `PATCH /services/{id}`.

use serde_json::json;

use super::add;
use crate::support::{admin, price, shared_cloud};

#[tokio::test]
async fn an_update_changes_the_named_fields_and_needs_the_current_version() {
    let cloud = shared_cloud();
    let admin = admin(cloud).await.api;
    let id = add(&admin, "Before", "Words", "change", price(700)).await;
    let path = format!("/services/{id}");
    let first = admin.get(&path).await;
    let etag = first.header("etag").expect("an etag").to_owned();
    let first = first.expect_status(200);

    let changed =
        admin.with_header("if-match", &etag).patch(&path, json!({"name": "  Cafe\u{301} "})).await;
    let second = changed.header("etag").expect("an etag").to_owned();
    let changed = changed.expect_status(200);
    assert_ne!(second, etag);
    assert_eq!(changed["name"], "Café");
    for same in ["id", "description", "category", "price", "status", "created_at"] {
        assert_eq!(changed[same], first[same], "{same}");
    }
    for stale in [etag.as_str(), "W/\"2\"", "\"x\"", "2", "", "\"2"] {
        admin
            .with_header("if-match", stale)
            .patch(&path, json!({"name": "Lost"}))
            .await
            .problem(412, "precondition_failed");
        admin
            .with_header("if-match", stale)
            .delete(&path)
            .await
            .problem(412, "precondition_failed");
    }
    // An update that changes nothing creates no new version.
    let same = admin
        .with_header("if-match", &format!("\"9\", {second}"))
        .patch(&path, json!({"name": "Café"}))
        .await;
    assert_eq!(same.header("etag"), Some(second.as_str()));
    assert_eq!(same.expect_status(200), changed);
    assert_eq!(
        admin.with_header("if-match", "*").patch(&path, json!({})).await.expect_status(200),
        changed
    );

    let wrong = admin
        .patch(
            &path,
            json!({
                "name": "", "price": {"amount": 1}, "status": "on", "id": "x", "description": 7,
            }),
        )
        .await;
    let mut wrong = wrong.field_errors();
    wrong.sort();
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["description", "id", "name", "price", "status"]);
}
