//! Registering, signing in, and who one is.

use serde_json::{Value, json};

use crate::support::{User, admin, client, cloud, refresh, sign_in, unique, worker};

#[tokio::test]
async fn nobody_registers_as_an_administrator() {
    let body = json!({"email": "a@example.com", "username": unique("a"), "password": "correct horse", "role": "admin"});
    let wrong = cloud().client().post("/auth/register", body).await.wrong_fields();
    assert_eq!(wrong, [("role".to_owned(), "invalid".to_owned())]);
}

#[tokio::test]
async fn registration_names_every_wrong_field_at_once() {
    let body = json!({"email": "nonsense", "username": "x", "password": "short", "admin": true, "categories": 7});
    let mut wrong: Vec<_> = cloud()
        .client()
        .post("/auth/register", body)
        .await
        .wrong_fields()
        .into_iter()
        .map(|(f, _)| f)
        .collect();
    wrong.sort();
    assert_eq!(wrong, ["admin", "categories", "email", "password", "username"]);
}

#[tokio::test]
async fn a_username_and_an_address_belong_to_one_user_whatever_their_letters_case() {
    let cloud = cloud();
    let first = client(cloud).await;
    let email = format!("{}@EXAMPLE.com", first.username.to_uppercase());
    let body = json!({"email": email, "username": first.username.to_uppercase(), "password": "correct horse"});
    assert_eq!(cloud.client().post("/auth/register", body).await.taken(), ["username", "email"]);
}

#[tokio::test]
async fn of_fifty_who_want_one_name_at_once_one_gets_it() {
    let cloud = cloud();
    let username = unique("race");
    let tries = (0..50).map(|n| {
        let body =
            json!({"email": format!("{username}-{n}@example.com"), "username": username, "password": "correct horse"});
        let api = cloud.client();
        async move { api.post("/auth/register", body).await.status.as_u16() }
    });
    let mut statuses = futures::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|s| *s == 409), "{statuses:?}");
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
async fn one_signs_in_by_name_or_address_as_form_or_as_json() {
    let cloud = cloud();
    let user = client(cloud).await;
    let address = format!("{}@example.com", user.username);
    User::sign_in(cloud, &address, &user.password).await;
    let body =
        json!({"grant_type": "password", "username": user.username, "password": user.password});
    let token = cloud.client().post("/auth/token", body).await;
    assert_eq!(token.header("cache-control"), Some("no-store"));
    assert_eq!(token.expect(200)["token_type"], "Bearer");
}

#[tokio::test]
async fn a_refresh_token_is_good_once_more_until_its_successor_is_used_and_then_ends_the_sign_in() {
    let cloud = cloud();
    let user = client(cloud).await;
    let next = async |token: &str| {
        refresh(cloud, token).await.expect(200)["refresh_token"].as_str().unwrap().to_owned()
    };
    let second = next(&user.refresh_token).await;
    // A lost answer: sent again, the request gets it.
    assert_eq!(next(&user.refresh_token).await, second);
    let third = next(&second).await;
    user.write().await.expect(200);
    refresh(cloud, &user.refresh_token).await.problem(401, "invalid_grant");
    refresh(cloud, &third).await.problem(401, "invalid_grant");
    user.write().await.problem(401, "invalid_token");
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

#[tokio::test]
async fn a_registration_with_the_same_key_and_another_password_is_another_request() {
    let cloud = cloud();
    let username = unique("again");
    let mut body = json!({"email": format!("{username}@example.com"), "username": username, "password": "correct horse"});
    let api = cloud.client().with("idempotency-key", &unique("key"));
    api.post("/auth/register", body.clone()).await.expect(201);
    body["password"] = json!("battery staple");
    api.post("/auth/register", body).await.problem(422, "idempotency_key_reused");
}

/// What becomes of a name: who bears it can sign in with it, and no one else can get it.
async fn is_free(username: &str) -> bool {
    let body = json!({"email": format!("{}@example.com", unique("probe")), "username": username, "password": "correct horse"});
    cloud().client().post("/auth/register", body).await.status == 201
}

#[tokio::test]
async fn one_changes_what_one_is_called_and_the_old_names_are_free() {
    let cloud = cloud();
    let user = worker(cloud, &[]).await;
    let before = user.me().await;
    let (username, email) = (unique("New"), format!("{}@example.com", unique("new")));
    let change = json!({"username": username, "email": email, "categories": ["Design", "design", "Writing"]});
    let answer = user.api.patch("/auth/me", change).await;
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let changed = answer.expect(200);
    assert_eq!(changed["categories"], json!(["Design", "Writing"]));
    assert_eq!((&changed["id"], &changed["role"]), (&before["id"], &before["role"]));
    assert_eq!(user.me().await, changed);
    for name in [&username.to_lowercase(), &email.to_uppercase()] {
        User::sign_in(cloud, name, &user.password).await;
    }
    sign_in(&cloud.client(), &user.username, &user.password).await.problem(401, "invalid_grant");
    let again = json!({"email": before["email"], "username": before["username"], "password": "correct horse"});
    cloud.client().post("/auth/register", again).await.expect(201);
}

#[tokio::test]
async fn a_change_of_letters_case_or_of_nothing_is_no_new_name() {
    let cloud = cloud();
    let user = client(cloud).await;
    let loud = user.username.to_uppercase();
    assert_eq!(
        user.api.patch("/auth/me", json!({"username": loud})).await.expect(200)["username"],
        loud.as_str()
    );
    let same = user.api.patch("/auth/me", json!({"username": loud, "email": null})).await;
    assert_eq!(same.header("etag"), Some("\"2\""), "nothing changed");
    let email = user.me().await["email"].as_str().unwrap().to_uppercase();
    assert_eq!(
        user.api.patch("/auth/me", json!({"email": email})).await.expect(200)["email"],
        email.as_str()
    );
    User::sign_in(cloud, &user.username, &user.password).await;
    assert!(!is_free(&user.username).await);
}

#[tokio::test]
async fn no_one_gets_what_others_are_called_and_a_refused_change_changes_nothing() {
    let cloud = cloud();
    let (user, other) = (client(cloud).await, client(cloud).await);
    let (before, others) = (user.me().await, other.me().await);
    let mine = unique("fine");
    for (change, taken) in [
        (
            json!({"username": other.username.to_uppercase(), "email": format!("{mine}@example.com")}),
            vec!["username"],
        ),
        (json!({"username": mine, "email": others["email"]}), vec!["email"]),
        (json!({"username": other.username, "email": others["email"]}), vec!["username", "email"]),
    ] {
        assert_eq!(user.api.patch("/auth/me", change).await.taken(), taken);
    }
    let wrong = user
        .api
        .patch("/auth/me", json!({"role": "admin", "status": "active", "password": "x", "id": "y"}))
        .await;
    assert_eq!(wrong.wrong_fields().len(), 4);
    let wrong = user.api.patch("/auth/me", json!({"categories": ["Design"]})).await.wrong_fields();
    assert_eq!(wrong, [("categories".to_owned(), "not_a_worker".to_owned())]);
    assert_eq!(user.me().await, before);
    assert!(is_free(&mine).await, "a refused change holds no name");
}

/// The claims that there are on a name in the table: its holder, if any.
async fn holder(username: &str) -> Option<String> {
    let key = json!({"pk": {"S": format!("USERNAME#{}", username.to_lowercase())}, "sk": {"S": "USERNAME"}});
    let cloud = cloud();
    let item =
        cloud.dynamodb("GetItem", json!({"TableName": cloud.table().await, "Key": key})).await;
    item["Item"]["doc"]["M"]["user_id"]["S"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_name_that_two_want_at_once_goes_to_one_and_the_other_keeps_its_own() {
    let cloud = cloud();
    let users = [client(cloud).await, client(cloud).await, client(cloud).await];
    let wanted = unique("wanted");
    let tries = futures::future::join_all(
        users.iter().map(|user| user.api.patch("/auth/me", json!({"username": wanted}))),
    )
    .await;
    let winners: Vec<_> = (0..users.len()).filter(|n| tries[*n].status == 200).collect();
    assert_eq!(winners.len(), 1, "{tries:#?}");
    for (n, user) in users.iter().enumerate() {
        let id = user.id().await;
        if n == winners[0] {
            assert_eq!((holder(&wanted).await, holder(&user.username).await), (Some(id), None));
        } else {
            assert_eq!(holder(&user.username).await, Some(id));
        }
    }
}

#[tokio::test]
async fn whoever_takes_many_names_at_once_ends_up_with_one() {
    let cloud = cloud();
    let user = client(cloud).await;
    let names: Vec<_> = (0..6).map(|n| unique(&format!("many{n}x"))).collect();
    let tries = names.iter().map(|name| user.api.patch("/auth/me", json!({"username": name})));
    for answer in futures::future::join_all(tries).await {
        assert!([200, 409].contains(&answer.status.as_u16()), "{:#}", answer.body);
    }
    let me = user.me().await;
    let mut held = Vec::new();
    for name in names.iter().chain([&user.username]) {
        if let Some(holder) = holder(name).await {
            assert_eq!(holder, me["id"].as_str().unwrap());
            held.push(name.as_str());
        }
    }
    assert_eq!(held, [me["username"].as_str().unwrap()]);
}

#[tokio::test]
async fn two_who_want_to_swap_names_do_it_by_way_of_a_third_and_not_at_once() {
    let cloud = cloud();
    let (ann, bob) = (client(cloud).await, client(cloud).await);
    let rename =
        async |user: &User, name: &str| user.api.patch("/auth/me", json!({"username": name})).await;
    let (a, b) = futures::join!(rename(&ann, &bob.username), rename(&bob, &ann.username));
    a.problem(409, "name_taken");
    b.problem(409, "name_taken");
    rename(&ann, &unique("third")).await.expect(200);
    rename(&bob, &ann.username).await.expect(200);
    rename(&ann, &bob.username).await.expect(200);
    assert_eq!(holder(&ann.username).await, Some(bob.id().await));
    assert_eq!(holder(&bob.username).await, Some(ann.id().await));
}

#[tokio::test]
async fn what_is_too_long_to_be_a_password_is_refused_before_it_is_hashed() {
    let cloud = cloud();
    let (user, admin) = (client(cloud).await, admin(cloud).await);
    let huge = "x".repeat(1024 * 1024);
    let fields = |password: &str| {
        let username = unique("huge");
        json!({"username": username, "email": format!("{username}@example.com"), "password": password, "role": "client"})
    };
    let change = |password: &str| json!({"current_password": password, "new_password": password});
    sign_in(&cloud.client(), &user.username, &huge).await.problem(413, "body_too_large");
    cloud.client().post("/auth/register", fields(&huge)).await.problem(413, "body_too_large");
    user.api.post("/auth/password", change(&huge)).await.problem(413, "body_too_large");
    admin.api.post("/users", fields(&huge)).await.problem(413, "body_too_large");

    let long = "ü".repeat(5000);
    sign_in(&cloud.client(), &user.username, &long).await.problem(401, "invalid_grant");
    let too_long = |field: &str| vec![(field.to_owned(), "too_long".to_owned())];
    assert_eq!(
        cloud.client().post("/auth/register", fields(&long)).await.wrong_fields(),
        too_long("password")
    );
    assert_eq!(admin.api.post("/users", fields(&long)).await.wrong_fields(), too_long("password"));
    assert_eq!(
        user.api.post("/auth/password", change(&long)).await.wrong_fields(),
        too_long("new_password")
    );
    cloud.client().post("/auth/register", fields(&"ünglücks".repeat(16))).await.expect(201);
}

#[tokio::test]
async fn a_password_that_was_hashed_with_weaker_parameters_is_hashed_anew_at_the_sign_in() {
    /// `correct horse`, by argon2id with 8 MiB and one pass.
    const WEAK: &str = "$argon2id$v=19$m=8192,t=1,p=1$BhG2wHdoCTdD7Ql4hGGOcg$5MoRxz7gapqtAZAxiBDf86ux63GiQYc/NG4u+B3BEDQ";
    let cloud = cloud();
    let user = client(cloud).await;
    let table = cloud.table().await;
    let key = json!({"pk": {"S": format!("USER#{}", user.id().await)}, "sk": {"S": "USER"}});
    let stored = async || {
        let item = cloud.dynamodb("GetItem", json!({"TableName": table, "Key": key})).await;
        item["Item"]["password"]["S"].as_str().expect("a hash").to_owned()
    };
    let weaken = json!({
        "TableName": table, "Key": key, "UpdateExpression": "SET password = :weak", "ExpressionAttributeValues": {":weak": {"S": WEAK}},
    });
    cloud.dynamodb("UpdateItem", weaken).await;
    sign_in(&cloud.client(), &user.username, "wrong horse").await.problem(401, "invalid_grant");
    assert_eq!(stored().await, WEAK);
    User::sign_in(cloud, &user.username, "correct horse").await.write().await.expect(200);
    let renewed = stored().await;
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    User::sign_in(cloud, &user.username, "correct horse").await;
    assert_eq!(stored().await, renewed, "once");
}

#[tokio::test]
async fn the_token_endpoint_speaks_oauth() {
    let api = cloud().client();
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
    // RFC 6749, section 3.2: what is not known is ignored.
    let user = client(cloud()).await;
    let fields = [
        ("grant_type", "password"),
        ("username", &user.username),
        ("password", &user.password),
        ("client_id", "web"),
        ("scope", "all"),
    ];
    let token: Value = send(&fields).await.expect(200);
    assert_eq!(token["expires_in"], 900);
}
