//! `GET /services/{id}`.

use serde_json::Value;

use crate::support::{new_service, shared_cloud};

#[tokio::test]
async fn a_matching_etag_gets_a_304() {
    let cloud = shared_cloud();
    let id = new_service(cloud, "etag").await["id"].as_str().expect("an id").to_owned();
    let api = cloud.client();
    let answer = api.get(&format!("/services/{id}")).await;
    let etag = answer.header("etag").expect("an etag").to_owned();
    answer.expect_status(200);
    assert_eq!(
        api.with_header("if-none-match", &etag)
            .get(&format!("/services/{id}"))
            .await
            .expect_status(304),
        Value::Null
    );
    api.with_header("if-none-match", "\"9\"")
        .get(&format!("/services/{id}"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn malformed_ids_are_not_found() {
    let api = shared_cloud().client();
    for id in ["x", "svc_", "SERVICE%23x", "svc_00000000000000000000000000", "%00", "..%2F..%2Fetc"]
    {
        api.get(&format!("/services/{id}")).await.problem(404, "not_found");
    }
}
