//! `GET /openapi.json`: it describes every route, and every request field that the code accepts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document;
use crate::support::{Client, admin, new_client, new_worker, shared_cloud};
use crate::wiring::deployed;

/// Returns the method, path and description of each operation.
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

/// Returns the value itself, or the value that its `$ref` refers to.
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
        // Every GET also has a HEAD, as `wiring/` checks.
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

/// The error for an unknown field lists the known fields, so the code itself says which ones it
/// accepts.
#[tokio::test]
async fn described_request_fields_are_the_ones_the_code_accepts() {
    let cloud = shared_cloud();
    let document = document().await;
    let callers = [
        cloud.client(),
        admin(cloud).await.api,
        new_client(cloud).await.api,
        new_worker(cloud, &[]).await.api,
    ];
    let mut compared = 0;
    for (method, path, operation) in operations(&document) {
        let schema =
            resolved(&document, &operation["requestBody"]["content"]["application/json"]["schema"]);
        // The token endpoint ignores unknown fields (RFC 6749), and Stripe defines what the webhook
        // receives. A DELETE reads no fields, and sending it would delete the sample service that
        // the description names.
        if path == "/auth/token" || path == "/webhooks/stripe" || method == "DELETE" {
            continue;
        }
        let path = with_examples(&document, &path, &operation);
        if let Some(known) = known_fields(&callers, &method, &path).await {
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

/// Returns the path with its parameters replaced by the examples of the description.
fn with_examples(document: &Value, path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_path = parameters.filter(|parameter| parameter["in"] == "path");
    in_path.fold(path.to_owned(), |path, parameter| {
        let schema = resolved(document, &parameter["schema"]);
        let example = schema["examples"][0].as_str().or(schema["enum"][0].as_str()).unwrap();
        path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), example)
    })
}

/// Returns the names of the query parameters.
fn query_names(document: &Value, operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| resolved(document, parameter));
    parameters
        .filter(|p| p["in"] == "query")
        .map(|p| p["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Sends the request with an unknown field, as one caller after another until one is allowed to
/// send it. Returns the known fields that the error lists, or `None` if there is no such error.
async fn known_fields(callers: &[Client], method: &str, path: &str) -> Option<BTreeSet<String>> {
    for api in callers {
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
        let known = unknown["detail"].as_str()?.split_once("Known: ")?.1.trim_end_matches('.');
        return Some(known.split(", ").filter(|name| *name != "none").map(str::to_owned).collect());
    }
    None
}

#[tokio::test]
async fn a_matching_etag_gets_a_304() {
    let api = shared_cloud().client();
    let answer = api.get("/openapi.json").await;
    let tag = answer.header("etag").unwrap().to_owned();
    assert!(answer.header("cache-control").unwrap().contains("max-age"));
    let again = api.with_header("if-none-match", &tag).get("/openapi.json").await;
    assert_eq!((again.status.as_u16(), again.body), (304, Value::Null));
}

#[tokio::test]
async fn the_description_of_reading_an_order_contains_the_tables_of_the_lifecycle() {
    let document = document().await;
    let description = document["paths"]["/orders/{id}"]["get"]["description"].as_str().unwrap();
    let lifecycle = include_str!("../../../docs/order-lifecycle.md");
    let table: Vec<_> = lifecycle.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(table.len() > 15);
    for row in table {
        assert!(description.contains(row), "{row}");
    }
}

#[tokio::test]
async fn examples_refer_to_sample_data_and_work_unchanged() {
    let document = document().await;
    let schema = |id: &str| document["components"]["schemas"][id]["examples"][0].clone();
    let api = shared_cloud().client();
    let service = schema("ServiceId");
    api.get(&format!("/services/{}", service.as_str().unwrap())).await.expect_status(200);
    let body = &document["paths"]["/orders"]["post"]["requestBody"]["content"];
    let order = body["application/json"]["example"].clone();
    assert_eq!(order["service_id"], service);
    let parameters = &document["components"]["parameters"];
    assert!(parameters["IdempotencyKey"]["example"].is_null(), "a key belongs to one request");
    new_client(shared_cloud()).await.api.post("/orders", order).await.expect_status(201);
    let user = schema("UserId");
    let admin = admin(shared_cloud()).await;
    admin.api.get(&format!("/users/{}", user.as_str().unwrap())).await.expect_status(200);
}
