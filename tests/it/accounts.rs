//! Registering, signing in, and who one is.

use serde_json::json;

use crate::support::{User, client, cloud, unique};

#[tokio::test]
async fn nobody_registers_as_an_administrator() {
    let body = json!({"email": "a@example.com", "username": unique("a"), "password": "correct horse", "role": "admin"});
    let wrong = cloud().client().post("/auth/register", body).await.wrong_fields();
    assert_eq!(wrong, [("role".to_owned(), "invalid".to_owned())]);
}

#[tokio::test]
async fn registration_names_every_wrong_field_at_once() {
    let body = json!({"email": "nonsense", "username": "x", "password": "short", "admin": true, "categories": 7});
    let mut wrong: Vec<_> =
        cloud().client().post("/auth/register", body).await.wrong_fields().into_iter().map(|(f, _)| f).collect();
    wrong.sort();
    assert_eq!(wrong, ["admin", "categories", "email", "password", "username"]);
}

#[tokio::test]
async fn a_username_and_an_address_belong_to_one_user_whatever_their_letters_case() {
    let cloud = cloud();
    let first = client(cloud).await;
    let email = format!("{}@EXAMPLE.com", first.username.to_uppercase());
    let body = json!({"email": email, "username": first.username.to_uppercase(), "password": "correct horse"});
    let wrong = cloud.client().post("/auth/register", body).await.wrong_fields();
    assert_eq!(wrong, [("username".to_owned(), "taken".to_owned()), ("email".to_owned(), "taken".to_owned())]);
}

#[tokio::test]
async fn of_twenty_who_want_one_name_at_once_one_gets_it() {
    let cloud = cloud();
    let username = unique("race");
    let tries = (0..20).map(|n| {
        let body =
            json!({"email": format!("{username}-{n}@example.com"), "username": username, "password": "correct horse"});
        let api = cloud.client();
        async move { api.post("/auth/register", body).await.status.as_u16() }
    });
    let mut statuses = futures::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|s| *s == 422), "{statuses:?}");
}

#[tokio::test]
async fn a_registration_that_is_sent_again_with_its_key_is_made_once() {
    let cloud = cloud();
    let username = unique("again");
    let body = json!({"email": format!("{username}@example.com"), "username": username, "password": "correct horse"});
    let api = cloud.client().with("idempotency-key", &unique("key"));
    let first = api.post("/auth/register", body.clone()).await.expect(201);
    let again = api.post("/auth/register", body.clone()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    let mut other = body;
    other["email"] = json!(format!("{username}-2@example.com"));
    api.post("/auth/register", other).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn the_same_words_refuse_an_unknown_user_and_a_wrong_password() {
    let cloud = cloud();
    let user = client(cloud).await;
    let refuse = async |username: &str| {
        let fields = [("grant_type", "password"), ("username", username), ("password", "wrong horse")];
        let answer = cloud.client().form("/auth/token", &fields).await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        let mut problem = answer.problem(401, "invalid_grant");
        problem["request_id"].take();
        problem
    };
    assert_eq!(refuse(&user.username).await, refuse(&unique("nobody")).await);
}

#[tokio::test]
async fn one_signs_in_by_name_or_address_as_form_or_as_json() {
    let cloud = cloud();
    let user = client(cloud).await;
    let address = format!("{}@example.com", user.username);
    User::sign_in(cloud, &address, &user.password).await;
    let body = json!({"grant_type": "password", "username": user.username, "password": user.password});
    let token = cloud.client().post("/auth/token", body).await;
    assert_eq!(token.header("cache-control"), Some("no-store"));
    assert_eq!(token.expect(200)["token_type"], "Bearer");
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_successor_and_a_stale_one_ends_the_session() {
    let cloud = cloud();
    let user = client(cloud).await;
    let refresh = async |token: &str| {
        cloud.client().form("/auth/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    };
    let second = refresh(&user.refresh_token).await.expect(200);
    let second = second["refresh_token"].as_str().expect("a token").to_owned();
    // A lost answer: the first token is good for a moment longer.
    let third = refresh(&user.refresh_token).await.expect(200);
    // But the one that was lost is not, once its successor was given out: it ends the session for all.
    let third = third["refresh_token"].as_str().expect("a token").to_owned();
    refresh(&second).await.problem(401, "invalid_grant");
    refresh(&third).await.problem(401, "invalid_grant");
}

#[tokio::test]
async fn without_a_good_token_there_is_no_me() {
    let api = cloud().client();
    let answer = api.get("/auth/me").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.problem(401, "unauthenticated");
    for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        api.bearer(token).get("/auth/me").await.problem(401, "invalid_token");
    }
}
