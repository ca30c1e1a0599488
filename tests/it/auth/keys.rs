//! `GET /.well-known/jwks.json`.

use serde_json::{Value, json};

use crate::support::{ForgedToken, local_env, new_client, shared_cloud};

#[tokio::test]
async fn tokens_of_both_active_keys_are_accepted_and_both_keys_are_published() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let forge = ForgedToken::copy_of(&user);
    assert_eq!(forge.claims["exp"].as_i64().unwrap() - forge.claims["iat"].as_i64().unwrap(), 900);
    for token in [forge.signed(), forge.header("kid", json!("local-2")).signed_with_next()] {
        cloud.client().bearer(&token).get("/auth/me").await.expect_status(200);
        cloud.client().bearer(&token).patch("/auth/me", json!({})).await.expect_status(200);
    }
    let published = cloud.client().get("/.well-known/jwks.json").await;
    assert_eq!(published.header("cache-control"), Some("public, max-age=300"));
    let expected: Value = serde_json::from_str(&local_env("JWT_PUBLIC_KEYS")).unwrap();
    assert_eq!(published.expect_status(200), expected);
}
