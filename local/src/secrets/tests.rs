use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::SecretStore;
use super::api::{SecretsApi, handle};
use crate::iam::{Iam, access_key_id};
use crate::log::Log;
use crate::model::{Project, Secret, SecretValue, Statement};
use crate::testing;

const PREFIX: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:";

fn secret(name: &str, value: SecretValue) -> Secret {
    Secret { name: name.into(), arn: format!("{PREFIX}{name}-local0"), value }
}

fn values(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn api(store: SecretStore) -> SecretsApi {
    let allowed = Statement {
        actions: vec!["secretsmanager:GetSecretValue".into()],
        resources: vec![format!("{PREFIX}shop/one-local0")],
        leading_keys: None,
    };
    let functions = vec![testing::function("reader", vec![allowed])];
    let project = Project { functions, ..Project::default() };
    let iam = Arc::new(Iam::new(&project));
    SecretsApi { store, iam, log: Log::default(), arn_prefix: PREFIX.to_owned() }
}

/// Calls an operation as this function, or as the developer.
async fn call(api: &SecretsApi, caller: Option<&str>, operation: &str, body: Value) -> Value {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", format!("secretsmanager.{operation}").parse().unwrap());
    if let Some(function) = caller {
        let scope = "20260101/us-east-1/secretsmanager/aws4_request";
        let credential = format!("{}/{scope}", access_key_id(function));
        let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, Signature=00");
        headers.insert("authorization", signed.parse().unwrap());
    }
    let response = handle(State(api.clone()), headers, Bytes::from(body.to_string())).await;
    serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_roll_keeps_the_previous_version() {
    let secrets = [secret("shop/one", SecretValue::Given("a".into()))];
    let api = api(SecretStore::open(None, &secrets, &BTreeMap::new()).unwrap());
    let get = async |stage: &str| {
        let body = json!({"SecretId": "shop/one", "VersionStage": stage});
        call(&api, None, "GetSecretValue", body).await
    };
    let first = get("AWSCURRENT").await;
    assert_eq!((&first["SecretString"], &first["Name"]), (&json!("a"), &json!("shop/one")));
    assert_eq!(get("AWSPREVIOUS").await["__type"], "ResourceNotFoundException");
    for value in ["b", "c"] {
        let put = json!({"SecretId": format!("{PREFIX}shop/one-local0"), "SecretString": value});
        let put = call(&api, None, "PutSecretValue", put).await;
        assert_eq!(put["VersionStages"], json!(["AWSCURRENT"]), "{put}");
    }
    assert_eq!(get("AWSCURRENT").await["SecretString"], "c");
    assert_eq!(get("AWSPREVIOUS").await["SecretString"], "b");
    let again = json!({"SecretId": "shop/one", "SecretString": "d", "ClientRequestToken": "t"});
    for _ in 0..2 {
        call(&api, None, "PutSecretValue", again.clone()).await;
    }
    assert_eq!(get("AWSPREVIOUS").await["SecretString"], "c", "a repeated request changes nothing");
}

#[tokio::test]
async fn a_function_may_only_read_the_secrets_of_its_policy() {
    let given = |name| secret(name, SecretValue::Given("canary".into()));
    let secrets = [given("shop/one"), given("shop/two")];
    let api = api(SecretStore::open(None, &secrets, &BTreeMap::new()).unwrap());
    for (operation, id, allowed) in [
        ("GetSecretValue", "shop/one", true),
        ("GetSecretValue", "shop/two", false),
        ("GetSecretValue", "shop/none", false),
        ("PutSecretValue", "shop/one", false),
        ("CreateSecret", "shop/three", false),
    ] {
        let body = json!({"SecretId": id, "Name": id, "SecretString": "x"});
        let answer = call(&api, Some("reader"), operation, body).await;
        assert_eq!(answer["__type"] != "AccessDeniedException", allowed, "{operation} {id}");
        assert_eq!(answer.to_string().contains("canary"), allowed, "{answer}");
    }
    let created = json!({"Name": "shop/three", "SecretString": "x"});
    assert_eq!(
        call(&api, None, "CreateSecret", created.clone()).await["ARN"],
        format!("{PREFIX}shop/three-local0")
    );
    assert_eq!(
        call(&api, None, "CreateSecret", created).await["__type"],
        "ResourceExistsException"
    );
    assert_eq!(call(&api, None, "DeleteSecret", json!({})).await["__type"], "InvalidAction");
    assert_eq!(
        call(&api, None, "GetSecretValue", json!({})).await["__type"],
        "ValidationException"
    );
}

#[test]
fn a_developers_roll_outlives_the_run_until_the_configured_value_changes() {
    let file = std::env::temp_dir().join(format!("secrets-{}.json", uuid::Uuid::now_v7()));
    let secrets = [secret("s", SecretValue::Unset)];
    let open = |value: &str| {
        SecretStore::open(Some(file.clone()), &secrets, &values(&[("s", value)])).unwrap()
    };
    assert_eq!(open("a").current("s").unwrap(), "a");
    open("a").put("s", "id".into(), "rolled".into()).unwrap();
    assert_eq!(open("a").current("s").unwrap(), "rolled");
    assert_eq!(open("b").current("s").unwrap(), "b");
    let (_, stored) = open("b").find("s").unwrap();
    assert_eq!(stored.previous.unwrap().text, "rolled");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_generated_secret_is_kept_in_its_file() {
    let file = std::env::temp_dir().join(format!("secrets-{}.json", uuid::Uuid::now_v7()));
    let classes = vec!["ABC".to_owned(), "012".to_owned()];
    let object = Some((serde_json::Map::new(), "key".into()));
    let secrets = [secret("s", SecretValue::Generated { length: 20, classes, object })];
    let key = |file| {
        let text = SecretStore::open(file, &secrets, &BTreeMap::new()).unwrap().current("s");
        let object: Value = serde_json::from_str(&text.unwrap()).unwrap();
        object["key"].as_str().unwrap().to_owned()
    };
    let first = key(Some(file.clone()));
    assert!(first.len() == 20 && first.chars().all(|c| "ABC012".contains(c)), "{first}");
    assert_eq!(key(Some(file.clone())), first);
    assert_ne!(key(None), first);
    std::fs::remove_file(file).unwrap();
}
