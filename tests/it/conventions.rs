//! What every endpoint has in common, held against every route of the template: an endpoint that is
//! added is in these tests by being there.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::support::{Answer, Client, Cloud, User, admin, client, cloud, service, worker};
use crate::wiring::deployed;

/// Functions that anyone may call.
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

/// Reads the raw body, whatever it is: its signature decides.
const RAW: &str = "webhooks-stripe";

/// RFC 6749, section 3.2: unrecognised parameters are ignored.
const IGNORES_UNKNOWN: &str = "auth-token";

#[derive(Clone)]
struct Route {
    function: String,
    method: Method,
    /// As in the template.
    template: String,
    /// With ids of things that are there.
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

/// Everyone there is, and every route with ids of theirs: the same for all of these tests, which
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
        let cloud = cloud();
        let people = [client(cloud).await, worker(cloud, &[]).await, admin(cloud).await];
        let service = service(cloud, "conventions").await["id"].as_str().unwrap().to_owned();
        let order = people[0].api.post("/orders", json!({"service_id": service})).await.expect(201);
        let user = people[0].api.get("/auth/me").await.expect(200);
        let ids = BTreeMap::from([
            ("services", service),
            ("orders", order["id"].as_str().unwrap().to_owned()),
            ("users", user["id"].as_str().unwrap().to_owned()),
        ]);
        let path = |template: &str| {
            let area = template.split('/').nth(1).unwrap_or_default();
            let path = template.replace("{id}", ids.get(area).map_or("none", String::as_str));
            // Other parameters name files of the documentation, or the like.
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

    /// Sends this body as everyone; the answer of the first whose role may ask, after which nothing
    /// of the request was carried out.
    async fn refused(&self, route: &Route, content_type: &str, body: &[u8]) -> Answer {
        for user in &self.people {
            let answer = user
                .api
                .send(route.method.clone(), &route.path, content_type, body.to_vec().into())
                .await;
            sealed(&answer, route);
            if answer.status != 403 {
                return answer;
            }
            answer.problem(403, "forbidden");
        }
        panic!("{route}: nobody may");
    }
}

/// What every answer carries.
#[track_caller]
fn sealed(answer: &Answer, route: &Route) {
    let header =
        |name| answer.header(name).unwrap_or_else(|| panic!("{route}: no {name}: {answer:?}"));
    assert!(!header("x-request-id").is_empty(), "{route}");
    assert_eq!(
        header("x-request-id"),
        header("apigw-requestid"),
        "{route}: one id, whoever answers"
    );
    assert_eq!(header("x-content-type-options"), "nosniff", "{route}");
    assert!(header("strict-transport-security").starts_with("max-age="), "{route}");
    let cache = header("cache-control");
    assert!(
        route.is_public() && answer.status.as_u16() < 400 || cache == "no-store",
        "{route}: {cache}"
    );
}

#[tokio::test]
async fn without_a_token_only_what_is_public_answers() {
    let world = World::new().await;
    for route in &world.routes {
        let answer = world.anyone().send(route.method.clone(), &route.path, "", "".into()).await;
        sealed(&answer, route);
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
async fn a_body_over_64_kib_is_too_large_for_every_endpoint_and_one_of_64_kib_is_not() {
    let world = World::new().await;
    let largest = 64 * 1024;
    for route in world.writes() {
        let json = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
        let send = async |length| {
            world
                .anyone()
                .send(route.method.clone(), &route.path, "application/json", json(length).into())
                .await
        };
        let answer = send(largest + 1).await;
        sealed(&answer, route);
        answer.problem(413, "body_too_large");
        assert_ne!(send(largest).await.status, 413, "{route}");
    }
    let webhook = async |length| {
        world.anyone().send(Method::POST, "/webhooks/stripe", "", vec![b' '; length].into()).await
    };
    webhook(1024 * 1024).await.problem(400, "invalid_signature");
    webhook(1024 * 1024 + 1).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn a_body_of_another_media_type_is_refused_by_every_endpoint() {
    let world = World::new().await;
    for route in world.writes() {
        for media_type in [
            "",
            "text/plain",
            "application/xml",
            "application/json; charset=utf-16",
            "application/jsonp",
        ] {
            world.refused(route, media_type, b"{}").await.problem(415, "unsupported_media_type");
        }
        let encoded = world.people.iter().map(|user| user.api.with("content-encoding", "gzip"));
        for api in encoded {
            let answer =
                api.send(route.method.clone(), &route.path, "application/json", "{}".into()).await;
            assert!([403, 415].contains(&answer.status.as_u16()), "{route}: {:#}", answer.body);
        }
    }
}

#[tokio::test]
async fn what_is_no_json_object_is_malformed_for_every_endpoint() {
    let world = World::new().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let bodies: [&[u8]; 12] = [
        b"{",
        b"{} {}",
        b"[]",
        b"null",
        b"\"text\"",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\0\"}",
        br#"{"a":"\ud800"}"#,
        br#"{"a":1,"a":1}"#,
        b"\0",
        deep.as_bytes(),
    ];
    for route in world.writes() {
        // One of them for each endpoint, all of them for one: they are read in one place.
        let bodies = if route.function == "services-create" { &bodies[..] } else { &bodies[..1] };
        for body in bodies {
            world
                .refused(route, "application/json; charset=UTF-8", body)
                .await
                .problem(400, "malformed_request");
        }
    }
}

#[tokio::test]
async fn a_field_that_nobody_asked_for_is_named_by_every_endpoint() {
    let world = World::new().await;
    for route in world.writes().filter(|route| route.function != IGNORES_UNKNOWN) {
        let answer = world.refused(route, "application/json", br#"{"surprise": 1}"#).await;
        assert_eq!(answer.status, 422, "{route}: {:#}", answer.body);
        let wrong = answer.wrong_fields();
        assert!(
            wrong.contains(&("surprise".to_owned(), "unknown".to_owned())),
            "{route}: {wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_read_is_answered_to_head_as_to_get_without_its_body() {
    let world = World::new().await;
    for route in world.reads() {
        for api in world.people.iter().map(|user| &user.api) {
            let (get, head) = (api.get(&route.path).await, api.head(&route.path).await);
            assert_eq!(head.status, get.status, "{route}");
            assert_eq!(head.body, Value::Null, "{route}");
            for name in ["content-type", "etag", "cache-control"] {
                assert_eq!(head.header(name), get.header(name), "{route}: {name}");
            }
            sealed(&head, route);
            sealed(&get, route);
        }
    }
}

#[tokio::test]
async fn what_has_a_version_says_so_and_is_not_sent_to_who_has_it() {
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
                let answer = api.with("if-none-match", &known).get(&route.path).await;
                assert_eq!(answer.header("etag"), Some(etag.as_str()), "{route}");
                assert_eq!(answer.header("content-type"), None, "{route}");
                assert_eq!(answer.expect(304), Value::Null);
            }
            for other in
                ["\"x\"".to_owned(), etag.trim_matches('"').to_owned(), format!("\"x,{etag},x\"")]
            {
                api.with("if-none-match", &other).get(&route.path).await.expect(200);
            }
        }
    }
    for function in ["auth-me", "services-get", "orders-get", "payments-get"] {
        assert!(versioned.contains(&function), "{function} has no ETag");
    }
}

#[tokio::test]
async fn another_method_is_405_with_those_that_there_are() {
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
        // `/orders/open` is a path of `/orders/{id}`, too.
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
        options.expect(204);
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_a_problem_document_for_every_method() {
    let api = cloud().client();
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

#[tokio::test]
async fn pages_of_configured_origins_may_call_and_read_what_they_need_and_others_may_not() {
    let api = cloud().client();
    let (ours, other) = ("http://localhost:3000", "https://evil.example");
    let preflight = async |origin: &str| {
        let asking = api.with("origin", origin).with("access-control-request-method", "PATCH");
        asking
            .with("access-control-request-headers", "authorization,if-match")
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

    let read = api.with("origin", ours).get("/services").await;
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
    // A page must be able to read an error, too.
    let refused = api.with("origin", ours).post("/orders", json!({})).await;
    assert_eq!(refused.header("access-control-allow-origin"), Some(ours));
    let refused = api.with("origin", other).get("/services").await;
    assert_eq!(refused.header("access-control-allow-origin"), None);
}
