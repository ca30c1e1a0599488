//! Paths without a route.

use http::Method;
use serde_json::json;

use crate::support::shared_cloud;

#[tokio::test]
async fn an_unknown_path_is_a_problem_document_for_every_method() {
    let api = shared_cloud().client();
    for path in [
        "/nowhere",
        "/services/",
        "/orders/1/2/3",
        "/%00",
        "/..%2f..%2fetc/passwd",
        "//",
        "/services%2f",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS, Method::TRACE] {
            let answer = api.send(method.clone(), path, "", "".into()).await;
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
            answer.problem(404, "not_found");
        }
    }
    api.patch("/nowhere", json!({})).await.problem(404, "not_found");
    api.delete("/nowhere").await.problem(404, "not_found");
    let hint = api.get("/services/").await.problem(404, "not_found");
    assert!(hint["detail"].as_str().is_some_and(|detail| detail.contains("slash")), "{hint:#}");
}
