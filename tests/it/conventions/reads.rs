//! HEAD and conditional requests of every GET route.

use serde_json::Value;

use super::{World, assert_common_headers};

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let world = World::new().await;
    for route in world.reads() {
        for api in world.people.iter().map(|user| &user.api) {
            let (get, head) = (api.get(&route.path).await, api.head(&route.path).await);
            assert_eq!(head.status, get.status, "{route}");
            assert_eq!(head.body, Value::Null, "{route}");
            for name in ["content-type", "etag", "cache-control"] {
                assert_eq!(head.header(name), get.header(name), "{route}: {name}");
            }
            assert_common_headers(&head, route);
            assert_common_headers(&get, route);
        }
    }
}

#[tokio::test]
async fn a_matching_etag_gets_a_304() {
    let world = World::new().await;
    let mut versioned = Vec::new();
    for route in world.reads() {
        for api in world.people.iter().map(|user| &user.api) {
            let answer = api.get(&route.path).await;
            let Some(etag) = answer.header("etag").map(str::to_owned) else { continue };
            versioned.push(route.function.as_str());
            for known in [
                etag.clone(),
                format!("W/{etag}"),
                format!("\"x,y\", W/\"z\" , {etag}"),
                "*".to_owned(),
            ] {
                let answer = api.with_header("if-none-match", &known).get(&route.path).await;
                assert_eq!(answer.header("etag"), Some(etag.as_str()), "{route}");
                assert_eq!(answer.header("content-type"), None, "{route}");
                assert_eq!(answer.expect_status(304), Value::Null);
            }
            for other in
                ["\"x\"".to_owned(), etag.trim_matches('"').to_owned(), format!("\"x,{etag},x\"")]
            {
                api.with_header("if-none-match", &other).get(&route.path).await.expect_status(200);
            }
        }
    }
    for function in ["auth-me", "services-get", "orders-get", "payments-get"] {
        assert!(versioned.contains(&function), "{function} has no ETag");
    }
}
