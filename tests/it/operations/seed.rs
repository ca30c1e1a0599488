//! The `seed` function: the sample data.

use serde_json::json;

use crate::support::{Cloud, User, shared_cloud};

#[tokio::test]
async fn seeding_twice_creates_the_sample_data_once() {
    let cloud = Cloud::start("seed", &["--ephemeral", "--no-seed"]);
    let seeded = cloud.invoke("seed", json!({})).await;
    assert_eq!(seeded, json!({"users": 3, "services": 4}));
    assert_eq!(cloud.invoke("seed", json!({})).await, json!({"users": 0, "services": 0}));
    let services = cloud.client().get("/services").await.expect_status(200);
    assert_eq!(services["items"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn the_sample_users_sign_in() {
    for name in ["admin", "worker1", "client1"] {
        let password = format!("{}123", name.trim_end_matches('1'));
        let user = User::sign_in(shared_cloud(), name, &password).await;
        assert_eq!(user.me().await["username"], name);
    }
}
