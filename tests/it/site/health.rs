//! `GET /health`.

use crate::support::shared_cloud;

#[tokio::test]
async fn health_answers_without_a_token_and_is_not_cached() {
    let health = shared_cloud().client().get("/health").await;
    assert_eq!(health.header("cache-control"), Some("no-store"));
    assert_eq!(health.expect_status(200)["status"], "ok");
}
