//! `GET /`.

use crate::support::shared_cloud;

#[tokio::test]
async fn every_link_of_the_index_leads_to_a_route() {
    let api = shared_cloud().client();
    let index = api.get("/").await.expect_status(200);
    assert_eq!(index["name"], "marketplace");
    let links = index["links"].as_object().expect("links");
    for name in ["health", "token", "services", "orders"] {
        assert!(links.contains_key(name), "no link to {name}: {index:#}");
    }
    for path in links.values().map(|path| path.as_str().expect("a path")) {
        assert_ne!(api.get(path).await.status, 404, "{path}");
    }
}
