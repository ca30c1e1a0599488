//! The API description, as it is served: it has every route, says of every request what the code
//! says, and shows itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, admin, client, cloud, worker};
use crate::wiring::deployed;

async fn document() -> Value {
    cloud().client().get("/openapi.json").await.expect(200)
}

/// Method, path and operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| {
            (method.to_uppercase(), path.clone(), operation.clone())
        })
    });
    operations.collect()
}

/// A schema, or the one that it refers to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

#[tokio::test]
async fn every_route_of_the_template_is_described_under_its_functions_name_and_nothing_else_is() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let described: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(method, path, operation)| {
            (operation["operationId"].as_str().unwrap().to_owned(), method, path)
        })
        .collect();
    let routes: BTreeSet<_> = deployed()
        .into_iter()
        .flat_map(|(name, routes)| {
            routes.into_iter().map(move |(method, path)| (name.clone(), method, path))
        })
        // HEAD is there wherever GET is; the conventions' tests see to that.
        .filter(|(_, method, _)| method != "HEAD")
        .collect();
    assert_eq!(described, routes);
}

#[tokio::test]
async fn the_parameters_of_every_path_are_described() {
    let document = document().await;
    for (method, path, operation) in operations(&document) {
        let in_path: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| resolved(&document, parameter));
        let described: BTreeSet<_> =
            parameters.filter(|p| p["in"] == "path").map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(described, in_path, "{method} {path}");
    }
}

/// What a request may have is refused when it is not known, in the same words that name what is: so
/// the code itself says what it reads.
#[tokio::test]
async fn what_is_described_of_a_request_is_what_the_code_reads() {
    let cloud = cloud();
    let document = document().await;
    let people = [
        cloud.client(),
        admin(cloud).await.api,
        client(cloud).await.api,
        worker(cloud, &[]).await.api,
    ];
    let mut compared = 0;
    for (method, path, operation) in operations(&document) {
        let schema =
            resolved(&document, &operation["requestBody"]["content"]["application/json"]["schema"]);
        // The token endpoint ignores what it does not know (RFC 6749), and what the webhook gets is
        // Stripe's.
        if path == "/auth/token" || path == "/webhooks/stripe" {
            continue;
        }
        let path = with_ids(&document, &path, &operation);
        if let Some(known) = known_fields(&people, &method, &path).await {
            let described: BTreeSet<_> = match method.as_str() {
                "GET" => query_names(&document, &operation),
                _ => schema["properties"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.clone())
                    .collect(),
            };
            assert_eq!(known, described, "{method} {path}");
            compared += 1;
        }
    }
    assert!(compared >= 15, "only {compared} requests were compared");
}

/// The path, with the ids that the description gives as examples.
fn with_ids(document: &Value, path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let ids = parameters.filter(|parameter| parameter["in"] == "path");
    ids.fold(path.to_owned(), |path, parameter| {
        let schema = resolved(document, &parameter["schema"]);
        let example = schema["examples"][0].as_str().or(schema["enum"][0].as_str()).unwrap();
        path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), example)
    })
}

fn query_names(document: &Value, operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| resolved(document, parameter));
    parameters
        .filter(|p| p["in"] == "query")
        .map(|p| p["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The names in the refusal of a field that is none, from the first who may send one.
async fn known_fields(people: &[Client], method: &str, path: &str) -> Option<BTreeSet<String>> {
    for api in people {
        let answer = match method {
            "GET" => api.get(&format!("{path}?no-such-field=1")).await,
            _ => {
                api.send(
                    method.parse().unwrap(),
                    path,
                    "application/json",
                    r#"{"no-such-field":1}"#.into(),
                )
                .await
            }
        };
        if answer.status != 422 {
            continue;
        }
        let errors = answer.body["errors"].as_array()?;
        let unknown = errors.iter().find(|error| error["field"] == "no-such-field")?;
        let known = unknown["detail"].as_str()?.split_once("known: ")?.1.trim_end_matches('.');
        return Some(known.split(", ").filter(|name| *name != "none").map(str::to_owned).collect());
    }
    None
}

#[tokio::test]
async fn the_description_is_kept_by_who_has_it() {
    let api = cloud().client();
    let answer = api.get("/openapi.json").await;
    let tag = answer.header("etag").unwrap().to_owned();
    assert!(answer.header("cache-control").unwrap().contains("max-age"));
    let again = api.with("if-none-match", &tag).get("/openapi.json").await;
    assert_eq!((again.status.as_u16(), again.body), (304, Value::Null));
}

#[tokio::test]
async fn the_moves_of_an_order_are_in_the_introduction() {
    let introduction = document().await["info"]["description"].as_str().unwrap().to_owned();
    let lifecycle = include_str!("../../docs/order-lifecycle.md");
    let table: Vec<_> = lifecycle.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(table.len() > 15);
    for row in table {
        assert!(introduction.contains(row), "{row}");
    }
}

#[tokio::test]
async fn the_page_loads_what_is_served_here_and_nothing_else() {
    let api = cloud().client();
    let page = api.get("/docs").await;
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self';"),
        "{policy}"
    );
    let html = page.expect(200);
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
            file.expect(200);
            files += 1;
        }
    }
    assert_eq!(files, 3);
    assert!(!html.contains("http"), "nothing from elsewhere");
    api.get("/docs/index.html").await.problem(404, "not_found");
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_a_page_that_says_what_to_do() {
    let api = cloud().client();
    let problem = api.get("/auth/me").await.problem(401, "unauthenticated");
    let page = api.get(problem["type"].as_str().unwrap()).await;
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let html = page.expect(200);
    assert!(html.as_str().unwrap().contains("<code>POST /auth/token</code>"), "{html}");
    api.get("/docs/problems/none").await.problem(404, "not_found");
    assert_eq!(
        json!(document().await["components"]["schemas"]["Problem"]["properties"]["type"]["type"]),
        json!("string")
    );
}
