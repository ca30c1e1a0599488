//! Errors for API keys, routes and parameters, with Stripe's messages.

use data_encoding::BASE64;

use super::Sandbox;
use crate::{PUBLISHABLE_KEY, SECRET_KEY};

const AUTHORIZATION: &str = "Bearer sk_test_local";

#[tokio::test]
async fn a_request_needs_a_known_key() {
    let sandbox = Sandbox::start().await;
    let absent = sandbox.send("GET", "/v1/events", &[], "").await.unwrap();
    assert_eq!(absent.status, 401);
    let message = absent.json["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("You did not provide an API key."), "{message}");
    assert!(absent.header("www-authenticate").is_some());

    let get = async |authorization: &str| {
        let headers = [("authorization", authorization)];
        sandbox.send("GET", "/v1/events", &headers, "").await.unwrap()
    };
    for key in ["sk_live_abcdefghijkl", "sk_test_abcdefghijkl", "rk_test_abcdefghijkl"] {
        let unknown = get(&format!("Bearer {key}")).await;
        assert_eq!(unknown.status, 401, "{key}");
        assert_eq!(unknown.json["error"]["type"], "invalid_request_error");
        let message = unknown.json["error"]["message"].as_str().unwrap();
        assert_eq!(message, format!("Invalid API Key provided: {}********ijkl", &key[..8]));
    }
    let unknown = get("Bearer pk_test_other").await;
    assert_eq!(unknown.status, 401, "publishable keys are checked, too");

    assert_eq!(get(&format!("Bearer {SECRET_KEY}")).await.status, 200);
    let basic = format!("Basic {}", BASE64.encode(format!("{SECRET_KEY}:").as_bytes()));
    assert_eq!(get(&basic).await.status, 200);
}

#[tokio::test]
async fn the_options_say_which_keys_are_known() {
    let sandbox = Sandbox::with(|options| {
        options.secret_keys = vec!["sk_test_one".to_owned(), "sk_test_two".to_owned()];
    })
    .await;
    for (key, status) in [("sk_test_one", 200), ("sk_test_two", 200), (SECRET_KEY, 401)] {
        let authorization = format!("Bearer {key}");
        let headers = [("authorization", authorization.as_str())];
        let reply = sandbox.send("GET", "/v1/events", &headers, "").await.unwrap();
        assert_eq!(reply.status, status, "{key}");
    }
}

#[tokio::test]
async fn a_publishable_key_needs_the_client_secret_and_only_sees_and_confirms() {
    let sandbox = Sandbox::start().await;
    let intent = sandbox.intent().await;
    let (id, secret) = (intent.id(), intent.json["client_secret"].as_str().unwrap().to_owned());
    let authorization = format!("Bearer {PUBLISHABLE_KEY}");
    let key = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let path = format!("/v1/payment_intents/{id}");
    let seen =
        sandbox.send("GET", &format!("{path}?client_secret={secret}"), &key, "").await.unwrap();
    assert_eq!((seen.status, seen.json["amount"].as_i64()), (200, Some(2000)));
    assert!(seen.json.get("metadata").is_none(), "only a secret key sees metadata");
    assert_eq!(
        sandbox.send("GET", &path, &key, "").await.unwrap().error(),
        (400, "parameter_missing")
    );
    let wrong = sandbox
        .send("GET", &format!("{path}?client_secret={id}_secret_no"), &key, "")
        .await
        .unwrap();
    assert_eq!(wrong.error(), (400, "payment_intent_invalid_parameter"));
    let canceled = sandbox.send("POST", &format!("{path}/cancel"), &key, "").await.unwrap();
    assert_eq!(canceled.error(), (401, "secret_key_required"));
    let form = format!("payment_method=pm_card_visa&client_secret={secret}");
    let paid = sandbox.send("POST", &format!("{path}/confirm"), &key, &form).await.unwrap();
    assert_eq!((paid.status, paid.json["status"].as_str()), (200, Some("succeeded")));
}

#[tokio::test]
async fn an_unknown_path_is_stripes_404() {
    let sandbox = Sandbox::start().await;
    for (method, path) in [
        ("GET", "/v1/customers"),
        ("DELETE", "/v1/refunds"),
        ("GET", "/v1/payment_intents/"),
        ("GET", "/v2/events"),
    ] {
        let reply = sandbox.call(method, path, "").await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert!(
            reply.json["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with(&format!("Unrecognized request URL ({method}: {path})."))
        );
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_rejected_before_anything_changes() {
    let sandbox = Sandbox::start().await;
    for (form, code, param) in [
        ("currency=usd", "parameter_missing", "amount"),
        ("amount=2000", "parameter_missing", "currency"),
        ("amount=12.5&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=0&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=10&currency=usd", "amount_too_small", "amount"),
        ("amount=100000000&currency=usd", "amount_too_large", "amount"),
        ("amount=2000&currency=", "parameter_invalid_empty", "currency"),
        ("amount=2000&currency=usd&colour=red", "parameter_unknown", "colour"),
        (
            "amount=2000&currency=usd&automatic_payment_methods[odd]=1&\
             automatic_payment_methods[enabled]=true",
            "parameter_unknown",
            "automatic_payment_methods[odd]",
        ),
        ("amount=2000&currency=usd&payment_method=pm_none", "resource_missing", "payment_method"),
        ("amount=2000&currency=zzz", "", "currency"),
        // Features of Stripe that the stand-in lacks.
        ("amount=2000&currency=usd&capture_method=manual", "", "capture_method"),
        ("amount=2000&currency=usd&customer=cus_1", "", "customer"),
        ("amount=2000&currency=usd&transfer_data[destination]=acct_1", "", "transfer_data"),
    ] {
        let reply = sandbox.post("/v1/payment_intents", form).await;
        assert_eq!(reply.error(), (400, code), "{form}: {}", reply.text);
        assert_eq!(reply.json["error"]["param"], param, "{form}");
        assert_eq!(reply.json["error"]["type"], "invalid_request_error", "{form}");
    }
    assert!(sandbox.events().await.is_empty(), "nothing was created");
}

#[tokio::test]
async fn a_json_body_is_rejected() {
    let sandbox = Sandbox::start().await;
    let headers = [("authorization", AUTHORIZATION), ("content-type", "application/json")];
    let reply =
        sandbox.send("POST", "/v1/payment_intents", &headers, r#"{"amount":2000}"#).await.unwrap();
    assert_eq!(reply.status, 400);
    assert!(reply.text.contains("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn a_missing_object_is_404_in_the_path_and_400_in_a_parameter() {
    let sandbox = Sandbox::start().await;
    let path = sandbox.get("/v1/payment_intents/pi_none").await;
    assert_eq!(path.error(), (404, "resource_missing"));
    assert_eq!(path.json["error"]["message"], "No such payment_intent: 'pi_none'");
    assert_eq!(sandbox.get("/v1/refunds/re_none").await.error(), (404, "resource_missing"));
    assert_eq!(
        sandbox.post("/v1/refunds", "payment_intent=pi_none").await.error(),
        (400, "resource_missing")
    );
    assert_eq!(
        sandbox.get("/v1/payment_intents?starting_after=pi_none").await.error(),
        (400, "resource_missing")
    );
}

#[tokio::test]
async fn every_response_has_a_request_id_and_a_version() {
    let sandbox = Sandbox::start().await;
    let reply =
        sandbox.call_with("GET", "/v1/events", &[("stripe-version", "2026-01-01.any")], "").await;
    assert!(reply.header("request-id").unwrap().starts_with("req_"));
    assert_eq!(reply.header("stripe-version"), Some("2026-01-01.any"));
    assert_eq!(sandbox.get("/v1/events").await.header("stripe-version"), Some("2026-09-30.endive"));
}
