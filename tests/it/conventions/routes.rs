//! Authentication, methods and CORS of every route.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;

use super::{World, assert_common_headers};
use crate::support::shared_cloud;

#[tokio::test]
async fn only_public_endpoints_answer_without_a_token() {
    let world = World::new().await;
    for route in &world.routes {
        let answer = world.anyone().send(route.method.clone(), &route.path, "", "".into()).await;
        assert_common_headers(&answer, route);
        if route.is_public() {
            assert_ne!(answer.status, 401, "{route}");
        } else if route.method == Method::HEAD {
            assert_eq!(answer.status, 401, "{route}");
        } else {
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{route}");
            answer.problem(401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn an_unsupported_method_is_405_with_the_allowed_ones() {
    let world = World::new().await;
    let mut allowed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for route in &world.routes {
        allowed
            .entry(&route.path)
            .or_insert_with(|| vec!["OPTIONS".to_owned()])
            .push(route.method.to_string());
    }
    for (path, mut methods) in allowed {
        methods.sort_unstable();
        let expected = methods.join(", ");
        let answer = world.anyone().send(Method::PUT, path, "application/json", "{}".into()).await;
        // `/orders/open` also matches `/orders/{id}`, so it allows the methods of both.
        let allow =
            answer.header("allow").unwrap_or_else(|| panic!("{path}: {answer:?}")).to_owned();
        let names = |list: &str| list.split(", ").map(str::to_owned).collect::<Vec<_>>();
        assert!(
            names(&expected).iter().all(|method| names(&allow).contains(method)),
            "{path}: {allow}"
        );
        assert_eq!(answer.problem(405, "method_not_allowed")["allow"], allow.as_str());
        let options = world.anyone().send(Method::OPTIONS, path, "", "".into()).await;
        assert_eq!(options.header("allow"), Some(allow.as_str()), "{path}");
        options.expect_status(204);
    }
}

#[tokio::test]
async fn cors_allows_the_configured_origins_and_no_others() {
    let api = shared_cloud().client();
    let (ours, other) = ("http://localhost:3000", "https://evil.example");
    let preflight = async |origin: &str| {
        let asking =
            api.with_header("origin", origin).with_header("access-control-request-method", "PATCH");
        asking
            .with_header("access-control-request-headers", "authorization,if-match")
            .send(Method::OPTIONS, "/services/x", "", "".into())
            .await
    };
    let allowed = preflight(ours).await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some(ours));
    let list = |name: &str| -> Vec<String> {
        allowed
            .header(name)
            .unwrap_or_default()
            .split(',')
            .map(|item| item.trim().to_lowercase())
            .collect()
    };
    for method in ["get", "head", "post", "patch", "delete"] {
        assert!(list("access-control-allow-methods").contains(&method.to_owned()), "{method}");
    }
    for header in ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"]
    {
        assert!(list("access-control-allow-headers").contains(&header.to_owned()), "{header}");
    }
    assert_eq!(preflight(other).await.header("access-control-allow-origin"), None);

    let read = api.with_header("origin", ours).get("/services").await;
    assert_eq!(read.header("access-control-allow-origin"), Some(ours));
    let exposed = read.header("access-control-expose-headers").unwrap_or_default().to_lowercase();
    for header in
        ["etag", "link", "location", "retry-after", "x-request-id", "idempotent-replayed", "allow"]
    {
        assert!(
            exposed.split(',').any(|name| name.trim() == header),
            "{header} is not exposed: {exposed}"
        );
    }
    // Pages can also read errors.
    let refused = api.with_header("origin", ours).post("/orders", json!({})).await;
    assert_eq!(refused.header("access-control-allow-origin"), Some(ours));
    let refused = api.with_header("origin", other).get("/services").await;
    assert_eq!(refused.header("access-control-allow-origin"), None);
}
