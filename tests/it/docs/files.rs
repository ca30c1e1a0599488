//! `GET /docs/{file}`.

use crate::support::shared_cloud;

#[tokio::test]
async fn the_files_of_the_page_are_served_and_no_others() {
    let api = shared_cloud().client();
    let script = api.get("/docs/start.js").await;
    let media_type = script.header("content-type").unwrap_or_default().to_owned();
    assert!(media_type.starts_with("text/javascript"), "{media_type}");
    assert!(script.expect_status(200).as_str().is_some_and(|script| !script.is_empty()));
    for file in ["index.html", "none.js", "..%2fopenapi.json", "%2e%2e"] {
        api.get(&format!("/docs/{file}")).await.problem(404, "not_found");
    }
}
