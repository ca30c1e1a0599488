//! `GET /openapi.json`: every route is described, and every request as the code reads it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document;
use crate::support::{Client, admin, client, cloud, worker};
use crate::wiring::deployed;

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
async fn exactly_the_routes_of_the_template_are_described() {
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
async fn all_path_parameters_are_described() {
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
async fn described_request_fields_are_the_ones_the_code_accepts() {
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
async fn a_matching_etag_gets_a_304() {
    let api = cloud().client();
    let answer = api.get("/openapi.json").await;
    let tag = answer.header("etag").unwrap().to_owned();
    assert!(answer.header("cache-control").unwrap().contains("max-age"));
    let again = api.with("if-none-match", &tag).get("/openapi.json").await;
    assert_eq!((again.status.as_u16(), again.body), (304, Value::Null));
}

#[tokio::test]
async fn the_description_of_an_order_has_its_lifecycle() {
    let document = document().await;
    let description = document["paths"]["/orders/{id}"]["get"]["description"].as_str().unwrap();
    let lifecycle = include_str!("../../../docs/order-lifecycle.md");
    let table: Vec<_> = lifecycle.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(table.len() > 15);
    for row in table {
        assert!(description.contains(row), "{row}");
    }
}
