use serde_json::json;

use super::*;
use crate::model::{HttpApi, Secret, SecretValue, WebSocketApi};

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn services() -> Services {
    Services {
        http: "http://localhost:8000".into(),
        ws: "ws://localhost:8001".into(),
        connections: "http://127.0.0.1:8004/live".into(),
        dynamodb: "http://127.0.0.1:8002".into(),
        stripe: Some("http://127.0.0.1:8003".into()),
        webhook_secret: Some("whsec_local".into()),
        invoke: "http://127.0.0.1:8004".into(),
        aws: None,
    }
}

fn function(name: &str, environment: &[(&str, &str)]) -> Function {
    Function {
        name: name.into(),
        logical_id: name.into(),
        code_uri: String::new(),
        binary: None,
        function_name: name.into(),
        arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{name}"),
        handler: "bootstrap".into(),
        environment: map(environment),
        timeout: std::time::Duration::from_secs(3),
        memory_mb: 128,
        reserved_concurrency: None,
        policy: Vec::new(),
        streams: Vec::new(),
        schedules: Vec::new(),
    }
}

fn secret(name: &str, value: SecretValue) -> Secret {
    Secret {
        name: name.into(),
        arn: format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-local0"),
        value,
    }
}

fn overrides(
    committed: &[(&str, &str)],
    own: &[(&str, &str)],
    process: &[(&str, &str)],
) -> Overrides {
    let process = map(process);
    Overrides::merge(map(committed), map(own), |name| process.get(name).cloned(), []).unwrap()
}

fn variables_of(
    environment: &[(&str, &str)],
    overrides: &Overrides,
    secrets: Vec<Secret>,
) -> Result<BTreeMap<String, String>> {
    let project =
        Project { functions: vec![function("orders", environment)], secrets, ..Project::default() };
    let store = SecretStore::open(None, &project.secrets, &BTreeMap::new()).unwrap();
    Ok(variables(&project, overrides, &store, &services())?.remove("orders").unwrap())
}

#[test]
fn overrides_replace_values_and_never_add_variables() {
    let overrides = overrides(
        &[("A", "committed"), ("B", "committed"), ("C", "committed"), ("X", "added")],
        &[("B", "own")],
        &[("C", "process"), ("D", "process")],
    );
    let environment =
        variables_of(&[("A", "1"), ("B", "1"), ("C", "1"), ("D", "template")], &overrides, vec![])
            .unwrap();
    assert_eq!(
        environment,
        map(&[("A", "committed"), ("B", "own"), ("C", "process"), ("D", "template")])
    );
}

#[test]
fn the_command_line_takes_precedence_over_files_and_the_process() {
    let file = map(&[("A", "file")]);
    let overrides =
        Overrides::merge(file.clone(), file, |_| Some("process".into()), map(&[("A", "flag")]));
    assert_eq!(
        variables_of(&[("A", "1")], &overrides.unwrap(), vec![]).unwrap(),
        map(&[("A", "flag")])
    );
}

#[test]
fn references_to_services_become_the_addresses_of_this_run() {
    let overridden =
        overrides(&[("U", "${LOCAL_WS}?x=${LOCAL_WEBHOOK_SECRET}"), ("V", "${HOME}")], &[], &[]);
    let environment = variables_of(&[("U", ""), ("V", "")], &overridden, vec![]).unwrap();
    assert_eq!(environment, map(&[("U", "ws://localhost:8001?x=whsec_local"), ("V", "${HOME}")]));
    let error =
        variables_of(&[("U", "")], &overrides(&[("U", "${LOCAL_COFFEE}")], &[], &[]), vec![])
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "U is set to ${LOCAL_COFFEE}, which is not a service of the local cloud"
    );
}

#[test]
fn aws_addresses_of_the_projects_apis_become_local_ones() {
    let aws =
        |scheme: &str, api: &str| format!("{scheme}://{api}.execute-api.us-east-1.amazonaws.com");
    let environment = [
        ("SITE", aws("https", "Api") + "/docs"),
        ("LIVE", aws("wss", "Live") + "/live"),
        ("PUSH", aws("https", "Live") + "/live"),
        ("OTHER", aws("https", "Elsewhere")),
    ];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let project = Project {
        functions: vec![function("orders", &environment)],
        http_api: Some(HttpApi { api_id: "Api".into(), ..HttpApi::default() }),
        websocket_api: Some(WebSocketApi { api_id: "Live".into(), ..WebSocketApi::default() }),
        ..Project::default()
    };
    let store = SecretStore::open(None, &[], &BTreeMap::new()).unwrap();
    let resolved = variables(&project, &Overrides::default(), &store, &services()).unwrap();
    assert_eq!(
        resolved["orders"],
        map(&[
            ("SITE", "http://localhost:8000/docs"),
            ("LIVE", "ws://localhost:8001/live"),
            ("PUSH", "http://127.0.0.1:8004/live"),
            ("OTHER", &aws("https", "Elsewhere")),
        ])
    );
}

#[test]
fn all_variables_without_a_value_are_named_at_once() {
    let environment = [
        ("KEY", "{{resolve:secretsmanager:jwt:SecretString:key}}"),
        ("PUBLIC", "{{resolve:parameter:Public}}"),
        ("A", "1"),
    ];
    let error = variables_of(&environment, &Overrides::default(), vec![]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "these variables have no value here: KEY (for orders), PUBLIC (for orders); give them values in local.env or .env"
    );
}

#[test]
fn secrets_of_the_template_are_resolved() {
    let secrets = vec![
        secret("given", SecretValue::Given(json!({"user": "u", "port": 5}).to_string())),
        secret("unset", SecretValue::Unset),
    ];
    let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:given-local0";
    let environment = [
        (
            "A",
            "{{resolve:secretsmanager:given:SecretString:user}}:{{resolve:secretsmanager:given:SecretString:port}}"
                .to_owned(),
        ),
        ("B", format!("{{{{resolve:secretsmanager:{arn}}}}}")),
        ("C", format!("{{{{resolve:secretsmanager:{arn}:SecretString:user:AWSCURRENT}}}}")),
    ];
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let resolved = variables_of(&environment, &Overrides::default(), secrets.clone()).unwrap();
    assert_eq!(resolved, map(&[("A", "u:5"), ("B", r#"{"port":5,"user":"u"}"#), ("C", "u")]));
    for (reference, expected) in [
        (
            "given:SecretString:user:AWSPREVIOUS",
            "the local cloud only resolves the current SecretString of a secret",
        ),
        ("given:SecretString:color", "the secret given has no key color"),
        ("unset", "give them values in local.env or .env"),
    ] {
        let value = format!("{{{{resolve:secretsmanager:{reference}}}}}");
        let error = variables_of(&[("A", &value)], &Overrides::default(), secrets.clone())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{reference}: {error}");
    }
}

#[test]
fn variables_become_secrets() {
    let own = overrides(
        &[("KEY", "k\"ey"), ("ID", "1"), ("HOOK", "${LOCAL_WEBHOOK_SECRET}"), ("PLAIN", "p")],
        &[],
        &[],
    );
    let project = Project {
        secrets: ["shop/jwt", "shop/plain"].map(|name| secret(name, SecretValue::Unset)).into(),
        ..Project::default()
    };
    let values = |settings: serde_json::Value| {
        let settings = serde_json::from_value(settings).unwrap();
        secret_values(&project, &settings, &own, &services())
    };
    let settings =
        json!({"shop/jwt": {"key": "KEY", "id": "ID", "hook": "HOOK"}, "shop/plain": "PLAIN"});
    let found = values(settings).unwrap();
    let object: serde_json::Value = serde_json::from_str(&found["shop/jwt"]).unwrap();
    assert_eq!(object, json!({"key": "k\"ey", "id": "1", "hook": "whsec_local"}));
    assert_eq!(found["shop/plain"], "p");
    for (settings, expected) in [
        (
            json!({"shop/jwt": {"key": "ABSENT"}, "shop/plain": "ABSENT"}),
            "these variables have no value here: ABSENT (for shop/jwt, shop/plain); give them \
             values in local.env or .env",
        ),
        (
            json!({"shop/none": "PLAIN"}),
            "shop/none in [workspace.metadata.local.secrets] is not a secret of the template",
        ),
    ] {
        assert_eq!(values(settings).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_developers_own_stripe_key_replaces_the_stand_in() {
    let committed = [
        ("STRIPE_SECRET_KEY", "sk_test_local"),
        ("STRIPE_API_URL", "${LOCAL_STRIPE}"),
        ("HOOK", "${LOCAL_WEBHOOK_SECRET}"),
    ];
    assert_eq!(
        overrides(&committed, &[("STRIPE_SECRET_KEY", "sk_test_local")], &[]).stripe(),
        Stripe::StandIn
    );
    let keys = [("STRIPE_SECRET_KEY", "sk_test_shop"), ("STRIPE_PUBLISHABLE_KEY", "pk_test_shop")];
    let keys = overrides(&keys, &[], &[]);
    assert_eq!(keys.stripe_keys(), (Some(&"sk_test_shop".into()), Some(&"pk_test_shop".into())));
    let real = overrides(&committed, &[("STRIPE_SECRET_KEY", "sk_test_mine")], &[]);
    assert_eq!(real.stripe(), Stripe::Real);
    let environment = variables_of(
        &[("STRIPE_API_URL", "https://api.stripe.com/"), ("STRIPE_SECRET_KEY", "")],
        &real,
        vec![],
    )
    .unwrap();
    assert_eq!(
        environment,
        map(&[
            ("STRIPE_API_URL", "https://api.stripe.com/"),
            ("STRIPE_SECRET_KEY", "sk_test_mine")
        ])
    );
    let live =
        Overrides::merge(map(&committed), map(&[("STRIPE_SECRET_KEY", "sk_live_x")]), |_| None, []);
    assert_eq!(
        live.unwrap_err().to_string(),
        "STRIPE_SECRET_KEY is a live key: the local cloud only uses Stripe's test mode"
    );
}

#[test]
fn a_function_has_credentials_and_the_addresses_of_services() {
    let environment = lambda(&function("orders", &[]), "AKIALOCAL".into(), &services());
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_ACCESS_KEY_ID", "AKIALOCAL"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8002"),
        ("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:8004"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:8004"),
    ] {
        assert_eq!(environment.get(name).map(String::as_str), Some(value), "{name}");
    }
    let aws =
        Aws { region: "eu-west-1".into(), credentials: map(&[("AWS_ACCESS_KEY_ID", "AKIAMINE")]) };
    let environment = lambda(
        &function("orders", &[]),
        "AKIALOCAL".into(),
        &Services { aws: Some(aws), ..services() },
    );
    assert_eq!(environment.get("AWS_ENDPOINT_URL_DYNAMODB"), None);
    assert_eq!(
        (environment["AWS_ACCESS_KEY_ID"].as_str(), environment["AWS_REGION"].as_str()),
        ("AKIAMINE", "eu-west-1")
    );
}
