//! `GET /users/{id}`.

use crate::support::{admin, new_worker, shared_cloud};

#[tokio::test]
async fn an_administrator_reads_a_user_as_the_user_does() {
    let cloud = shared_cloud();
    let (admin, user) = (admin(cloud).await, new_worker(cloud, &["Design"]).await);
    let me = user.me().await;
    let path = format!("/users/{}", me["id"].as_str().unwrap());
    let read = admin.api.get(&path).await;
    assert_eq!(read.header("etag"), Some("\"1\""));
    assert_eq!(read.expect_status(200), me);
    user.api.get(&path).await.problem(403, "forbidden");
}
