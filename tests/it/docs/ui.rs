//! `GET /docs`.

use crate::support::shared_cloud;

#[tokio::test]
async fn the_page_loads_only_files_that_are_served_here() {
    let api = shared_cloud().client();
    let page = api.get("/docs").await;
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self';"),
        "{policy}"
    );
    let html = page.expect_status(200);
    let html = html.as_str().unwrap();
    let mut files = 0;
    for attribute in ["src=\"", "href=\""] {
        for address in html.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            if address == "data:," {
                continue;
            }
            let file = api.get(address).await;
            let media_type = file.header("content-type").unwrap().to_owned();
            assert_eq!(
                media_type.starts_with("text/css"),
                address.ends_with(".css"),
                "{address} is {media_type}"
            );
            file.expect_status(200);
            files += 1;
        }
    }
    assert_eq!(files, 3);
    assert!(!html.contains("http"), "the page loads nothing from other hosts");
}
