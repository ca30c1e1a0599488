//! Tests of the conventions of all endpoints, for every route of the template. A new endpoint is
//! covered as soon as the template has it.

mod bodies;
mod reads;
mod routes;

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::support::{
    Client, Cloud, Response, User, admin, new_client, new_service, new_worker, shared_cloud,
};
use crate::wiring::deployed;

/// Functions that need no token.
const PUBLIC: [&str; 13] = [
    "auth-register",
    "auth-token",
    "auth-keys",
    "services-list",
    "services-categories",
    "services-get",
    "webhooks-stripe",
    "index",
    "health",
    "docs-openapi",
    "docs-ui",
    "docs-files",
    "docs-problems",
];

/// Reads the raw body whatever its content type, because the signature authenticates it.
const RAW: &str = "webhooks-stripe";

/// Ignores unknown parameters, as RFC 6749, section 3.2, requires.
const IGNORES_UNKNOWN: &str = "auth-token";

#[derive(Clone)]
struct Route {
    function: String,
    method: Method,
    /// The path in the template.
    template: String,
    /// The path with ids that exist.
    path: String,
}

impl Route {
    fn is_public(&self) -> bool {
        PUBLIC.contains(&self.function.as_str())
    }

    /// Whether it takes a JSON body.
    fn takes_body(&self) -> bool {
        [Method::POST, Method::PATCH, Method::PUT].contains(&self.method) && self.function != RAW
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.method, self.template, self.function)
    }
}

/// A user of each role, and every route with ids that exist. All tests here share it, because they
/// change nothing.
#[derive(Clone)]
struct World {
    cloud: &'static Cloud,
    people: [User; 3],
    routes: Vec<Route>,
}

impl World {
    async fn new() -> Self {
        static WORLD: OnceCell<World> = OnceCell::const_new();
        let world = WORLD.get_or_init(Self::make).await.clone();
        Self {
            people: world.people.map(|user| User { api: user.api.reconnected(), ..user }),
            ..world
        }
    }

    async fn make() -> Self {
        let cloud = shared_cloud();
        let people = [new_client(cloud).await, new_worker(cloud, &[]).await, admin(cloud).await];
        let service = new_service(cloud, "conventions").await["id"].as_str().unwrap().to_owned();
        let order =
            people[0].api.post("/orders", json!({"service_id": service})).await.expect_status(201);
        let user = people[0].api.get("/auth/me").await.expect_status(200);
        let ids = BTreeMap::from([
            ("services", service),
            ("orders", order["id"].as_str().unwrap().to_owned()),
            ("users", user["id"].as_str().unwrap().to_owned()),
        ]);
        let path = |template: &str| {
            let area = template.split('/').nth(1).unwrap_or_default();
            let path = template.replace("{id}", ids.get(area).map_or("none", String::as_str));
            // Other parameters, such as file names, get a value that doesn't exist.
            path.split('/')
                .map(|part| if part.starts_with('{') { "none" } else { part })
                .collect::<Vec<_>>()
                .join("/")
        };
        let routes = deployed().into_iter().flat_map(|(function, routes)| {
            routes.into_iter().map(move |(method, template)| (function.clone(), method, template))
        });
        let routes = routes.map(|(function, method, template)| {
            let method = method.parse().unwrap();
            Route { function, method, path: path(&template), template }
        });
        Self { cloud, people, routes: routes.collect() }
    }

    fn anyone(&self) -> Client {
        self.cloud.client()
    }

    fn reads(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|route| route.method == Method::GET)
    }

    fn writes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|route| route.takes_body())
    }

    /// Sends this body as each user in turn, and returns the first response that is not a 403.
    async fn first_permitted(&self, route: &Route, content_type: &str, body: &[u8]) -> Response {
        for user in &self.people {
            let answer = user
                .api
                .send(route.method.clone(), &route.path, content_type, body.to_vec().into())
                .await;
            assert_common_headers(&answer, route);
            if answer.status != 403 {
                return answer;
            }
            answer.problem(403, "forbidden");
        }
        panic!("{route}: no role may send it");
    }
}

/// Asserts that a response has the headers that every response must have.
#[track_caller]
fn assert_common_headers(answer: &Response, route: &Route) {
    let header =
        |name| answer.header(name).unwrap_or_else(|| panic!("{route}: no {name}: {answer:?}"));
    assert!(!header("x-request-id").is_empty(), "{route}");
    assert_eq!(
        header("x-request-id"),
        header("apigw-requestid"),
        "{route}: both request ids are equal"
    );
    assert_eq!(header("x-content-type-options"), "nosniff", "{route}");
    assert!(header("strict-transport-security").starts_with("max-age="), "{route}");
    let cache = header("cache-control");
    assert!(
        route.is_public() && answer.status.as_u16() < 400 || cache == "no-store",
        "{route}: {cache}"
    );
}
