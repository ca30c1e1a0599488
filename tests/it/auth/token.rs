//! `POST /auth/token`.

use serde_json::{Value, json};

use crate::support::{User, new_client, shared_cloud, sign_in, unique};

#[tokio::test]
async fn users_sign_in_with_username_or_e_mail_as_form_or_json() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let address = format!("{}@example.com", user.username);
    User::sign_in(cloud, &address, &user.password).await;
    let body =
        json!({"grant_type": "password", "username": user.username, "password": user.password});
    let token = cloud.client().post("/auth/token", body).await;
    assert_eq!(token.header("cache-control"), Some("no-store"));
    assert_eq!(token.expect_status(200)["token_type"], "Bearer");
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let refuse = async |username: &str| {
        let fields =
            [("grant_type", "password"), ("username", username), ("password", "wrong horse")];
        let answer = cloud.client().form("/auth/token", &fields).await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        let mut problem = answer.problem(401, "invalid_grant");
        problem["request_id"].take();
        problem
    };
    assert_eq!(refuse(&user.username).await, refuse(&unique("nobody")).await);
}

#[tokio::test]
async fn errors_and_unknown_parameters_follow_oauth() {
    let api = shared_cloud().client();
    let send = async |fields: &[(&str, &str)]| api.form("/auth/token", fields).await;
    let problem =
        send(&[("grant_type", "client_credentials")]).await.problem(400, "unsupported_grant_type");
    assert_eq!(problem["error"], "unsupported_grant_type");
    let problem =
        send(&[("grant_type", "password"), ("username", "nobody"), ("password", "x")]).await;
    assert_eq!(problem.problem(401, "invalid_grant")["error"], "invalid_grant");
    for fields in [
        &[][..],
        &[("grant_type", "password")],
        &[("grant_type", "password"), ("grant_type", "password")],
    ] {
        assert_eq!(
            send(fields).await.problem(422, "validation_failed")["error"],
            "invalid_request"
        );
    }
    // RFC 6749, section 3.2: unrecognized parameters are ignored.
    let user = new_client(shared_cloud()).await;
    let fields = [
        ("grant_type", "password"),
        ("username", &user.username),
        ("password", &user.password),
        ("client_id", "web"),
        ("scope", "all"),
    ];
    let token: Value = send(&fields).await.expect_status(200);
    assert_eq!(token["expires_in"], 900);
}

#[tokio::test]
async fn signing_in_rehashes_a_password_whose_hash_has_outdated_parameters() {
    /// `correct horse`, hashed by argon2id with 8 MiB and one pass.
    const WEAK: &str = "$argon2id$v=19$m=8192,t=1,p=1$\
        BhG2wHdoCTdD7Ql4hGGOcg$5MoRxz7gapqtAZAxiBDf86ux63GiQYc/NG4u+B3BEDQ";
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let table = cloud.table().await;
    let key = json!({"pk": {"S": format!("USER#{}", user.id().await)}, "sk": {"S": "USER"}});
    let stored = async || {
        let item = cloud.dynamodb("GetItem", json!({"TableName": table, "Key": key})).await;
        item["Item"]["password"]["S"].as_str().expect("a hash").to_owned()
    };
    let weaken = json!({
        "TableName": table, "Key": key, "UpdateExpression": "SET password = :weak",
        "ExpressionAttributeValues": {":weak": {"S": WEAK}},
    });
    cloud.dynamodb("UpdateItem", weaken).await;
    sign_in(&cloud.client(), &user.username, "wrong horse").await.problem(401, "invalid_grant");
    assert_eq!(stored().await, WEAK);
    User::sign_in(cloud, &user.username, "correct horse")
        .await
        .send_empty_update()
        .await
        .expect_status(200);
    let renewed = stored().await;
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    User::sign_in(cloud, &user.username, "correct horse").await;
    assert_eq!(stored().await, renewed, "the password is rehashed once");
}
