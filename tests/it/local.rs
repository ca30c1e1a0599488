//! The local cloud as the one who works with it sees it: its flags, its errors, and that it is as hard to break as the cloud.

use serde_json::json;

use crate::support::{Cloud, cloud};

#[tokio::test]
async fn the_ready_line_says_where_everything_is() {
    let ready = &cloud().ready;
    assert!(ready.http.starts_with("http://localhost:") && ready.ws.starts_with("ws://localhost:"), "{ready:?}");
    assert!(ready.dynamodb.starts_with("http://") && ready.invoke.starts_with("http://"), "{ready:?}");
    assert!(ready.webhook_secret.as_deref().is_some_and(|secret| secret.starts_with("whsec_")), "{ready:?}");
    assert!(ready.functions.iter().any(|function| function == "orders-create"), "{ready:?}");
}

#[tokio::test]
async fn any_function_can_be_invoked_by_name() {
    let cloud = cloud();
    let event = std::fs::read_to_string(crate::support::workspace().join("events/health.json")).unwrap();
    let reply = cloud.invoke("health", serde_json::from_str(&event).unwrap()).await;
    assert_eq!(reply["statusCode"], 200, "{reply:#}");
    assert_eq!(cloud.try_invoke("nobody", json!({})).await.status, 404);
}

#[tokio::test]
async fn a_value_on_the_command_line_wins_and_an_unknown_name_is_refused() {
    let cloud = Cloud::start("env", &["--ephemeral", "--no-seed", "--env", "JWT_ISSUER=someone-else"]);
    let fields =
        json!({"username": "somebody", "email": "somebody@example.com", "password": "correct horse", "role": "client"});
    cloud.client().post("/auth/register", fields).await.expect(201);
    let grant = [("grant_type", "password"), ("username", "somebody"), ("password", "correct horse")];
    let token = cloud.client().form("/auth/token", &grant).await.expect(200);
    let token = token["access_token"].as_str().unwrap();
    // Signed by another issuer, and so of no use to a cloud with the usual one.
    cloud.client().bearer(token).get("/auth/me").await.expect(200);
    crate::support::cloud().client().bearer(token).get("/auth/me").await.problem(401, "invalid_token");

    let log = Cloud::command("env-unknown", &["--ephemeral", "--env", "JWT_ISSUES=x"]).err().expect("it is refused");
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.trim(), "error: --env gives JWT_ISSUES, which the template gives to no function");
}
