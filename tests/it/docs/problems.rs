//! `GET /docs/problems/{code}`.

use serde_json::json;

use super::document;
use crate::support::shared_cloud;

#[tokio::test]
async fn the_type_of_a_problem_links_to_its_page() {
    let api = shared_cloud().client();
    let problem = api.get("/auth/me").await.problem(401, "unauthenticated");
    let page = api.get(problem["type"].as_str().unwrap()).await;
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let html = page.expect_status(200);
    assert!(html.as_str().unwrap().contains("<code>POST /auth/token</code>"), "{html}");
    api.get("/docs/problems/none").await.problem(404, "not_found");
    assert_eq!(
        json!(document().await["components"]["schemas"]["Problem"]["properties"]["type"]["type"]),
        json!("string")
    );
}
