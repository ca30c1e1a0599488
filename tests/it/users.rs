//! Users, for administrators; and that what they decide takes effect at once.

use serde_json::{Value, json};

use crate::support::{Client, Forge, Socket, User, admin, client, cloud, sign_in, unique, worker};

/// A user made by an administrator, signed in.
async fn made(role: &str) -> User {
    let admin = admin(cloud()).await;
    let user = admin.api.post("/users", new(&unique("m"), role)).await.expect(201);
    User::sign_in(cloud(), user["username"].as_str().unwrap(), "correct horse").await
}

fn new(username: &str, role: &str) -> Value {
    json!({"username": username, "email": format!("{username}@example.com"), "password": "correct horse", "role": role})
}

fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect()
}

/// All pages of a list.
async fn all(api: &Client, query: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/users?{query}{cursor}")).await.expect(200);
        found.extend(names(&page).into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn administrators_make_users_of_any_role_who_can_sign_in() {
    let cloud = cloud();
    let admin = admin(cloud).await;
    for role in ["client", "worker", "admin"] {
        let username = unique("made");
        let mut body = new(&username, role);
        if role == "worker" {
            body["categories"] = json!(["Design"]);
        }
        let answer = admin.api.post("/users", body).await;
        let location = answer.header("location").unwrap().to_owned();
        let user = answer.expect(201);
        assert_eq!((&user["role"], &user["status"]), (&json!(role), &json!("active")));
        assert_eq!(location, format!("/users/{}", user["id"].as_str().unwrap()));
        let got = admin.api.get(&location).await;
        assert_eq!(got.header("etag"), Some("\"1\""));
        assert_eq!(got.expect(200), user);
        assert_eq!(User::sign_in(cloud, &username, "correct horse").await.me().await, user);
        for secret in ["password", "generation", "created_by"] {
            assert_eq!(user[secret], Value::Null, "{secret} is no one's business");
        }
    }
    let wrong = admin
        .api
        .post("/users", json!({"role": "root", "password": "password", "status": "active"}))
        .await;
    let mut wrong: Vec<_> = wrong.wrong_fields().into_iter().map(|(field, _)| field).collect();
    wrong.sort();
    assert_eq!(wrong, ["email", "password", "role", "status", "username"]);
    let taken =
        admin.api.post("/users", new(&admin.username.to_uppercase(), "client")).await.taken();
    assert_eq!(taken, ["username"]);
}

#[tokio::test]
async fn a_user_is_made_once_for_each_key_and_the_password_is_part_of_what_was_asked() {
    let admin = admin(cloud()).await;
    let api = admin.api.with("idempotency-key", &unique("key"));
    let body = new(&unique("once"), "worker");
    let first = api.post("/users", body.clone()).await.expect(201);
    let path = format!("/users/{}", first["id"].as_str().unwrap());
    admin.api.patch(&path, json!({"status": "suspended"})).await.expect(200);
    let again = api.post("/users", body.clone()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201), first, "the first answer, whatever became of the user since");
    for (field, value) in
        [("password", "battery staple"), ("role", "client"), ("username", "someone-else")]
    {
        let mut other = body.clone();
        other[field] = json!(value);
        api.post("/users", other).await.problem(422, "idempotency_key_reused");
    }
}

#[tokio::test]
async fn users_are_listed_by_role_status_and_the_start_of_their_name() {
    let cloud = cloud();
    let admin = admin(cloud).await;
    let prefix = unique("Li");
    let mut ids = Vec::new();
    for (n, role) in ["worker", "client", "client", "worker", "client"].into_iter().enumerate() {
        let user = admin.api.post("/users", new(&format!("{prefix}-{n}"), role)).await.expect(201);
        ids.push(user["id"].as_str().unwrap().to_owned());
    }
    admin
        .api
        .patch(&format!("/users/{}", ids[2]), json!({"status": "suspended"}))
        .await
        .expect(200);
    admin.api.delete(&format!("/users/{}", ids[4])).await.expect(204);

    let name = |n: usize| format!("{prefix}-{n}");
    let some = |numbers: &[usize]| numbers.iter().map(|n| name(*n)).collect::<Vec<_>>();
    let list = async |query: &str| {
        let q = prefix.to_uppercase();
        all(&admin.api, &format!("q={q}&limit=2{query}")).await
    };
    assert_eq!(list("").await, some(&[0, 1, 2, 3, 4]), "by name");
    assert_eq!(list("&role=client").await, some(&[1, 2, 4]));
    assert_eq!(list("&role=worker&status=active").await, some(&[0, 3]));
    assert_eq!(list("&status=suspended").await, some(&[2]));
    assert_eq!(list("&status=deactivated&role=client").await, some(&[4]));
    assert_eq!(list("&status=deactivated&role=worker").await, some(&[]));

    // Without a name, the newest first: those made here are among the first.
    let mine = |names: Vec<String>| {
        names.into_iter().filter(|name| name.starts_with(&prefix)).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("limit=100", some(&[4, 3, 2, 1, 0])),
        ("limit=100&role=worker", some(&[3, 0])),
        ("limit=100&status=active", some(&[3, 1, 0])),
        ("limit=1&status=suspended", some(&[2])),
        ("limit=100&status=deactivated&role=client", some(&[4])),
    ] {
        assert_eq!(mine(all(&admin.api, query).await), expected, "{query}");
    }
    // Who gets another name, role or status moves between the lists.
    let path = format!("/users/{}", ids[2]);
    let renamed = format!("{prefix}-9");
    let change = json!({"username": renamed, "role": "worker", "status": "active"});
    admin.api.patch(&path, change).await.expect(200);
    assert_eq!(list("&role=worker").await, [some(&[0, 3]), vec![renamed]].concat());
    assert_eq!(list("&status=suspended").await, some(&[]));
}

#[tokio::test]
async fn a_list_of_users_refuses_what_it_does_not_know_and_cursors_of_other_lists() {
    let cloud = cloud();
    let admin = admin(cloud).await;
    for _ in 0..2 {
        client(cloud).await;
    }
    for (query, field) in [
        ("role=root", "role"),
        ("status=gone", "status"),
        ("q=", "q"),
        ("q=a%23b", "q"),
        ("q=%00", "q"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("sort=name", "sort"),
        ("role=client&role=admin", "role"),
    ] {
        assert_eq!(
            admin.api.get(&format!("/users?{query}")).await.wrong_fields()[0].0,
            field,
            "{query}"
        );
    }
    let page = admin.api.get("/users?role=client&limit=1").await;
    let link = page.header("link").unwrap().to_owned();
    assert!(link.contains("/users?limit=1&role=client&cursor="), "{link}");
    let cursor = page.expect(200)["next_cursor"].as_str().unwrap().to_owned();
    admin.api.get(&format!("/users?role=client&limit=50&cursor={cursor}")).await.expect(200);
    for query in ["", "role=worker&", "role=client&status=active&", "q=u&"] {
        admin
            .api
            .get(&format!("/users?{query}cursor={cursor}"))
            .await
            .problem(400, "invalid_cursor");
    }
    admin
        .api
        .get(&format!("/users?role=client&cursor={}x", &cursor[..cursor.len() - 1]))
        .await
        .problem(400, "invalid_cursor");
}

#[tokio::test]
async fn users_are_no_business_of_who_is_no_administrator() {
    let cloud = cloud();
    let target = client(cloud).await.id().await;
    let path = format!("/users/{target}");
    for user in [client(cloud).await, worker(cloud, &[]).await] {
        user.api.get("/users").await.problem(403, "forbidden");
        user.api.post("/users", new("someone", "client")).await.problem(403, "forbidden");
        user.api.get(&path).await.problem(403, "forbidden");
        user.api.patch(&path, json!({"status": "suspended"})).await.problem(403, "forbidden");
        user.api.delete(&path).await.problem(403, "forbidden");
    }
    let admin = admin(cloud).await;
    for id in [
        "none",
        "usr_00000000000000000000000000",
        "usr_1%23USER",
        "%2e%2e",
        &format!("{target}%23SESSION"),
        &target.to_uppercase(),
    ] {
        admin.api.get(&format!("/users/{id}")).await.problem(404, "not_found");
        admin
            .api
            .patch(&format!("/users/{id}"), json!({"status": "suspended"}))
            .await
            .problem(404, "not_found");
        admin.api.delete(&format!("/users/{id}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn suspension_bites_on_the_next_write_and_closes_sockets_and_ends_sign_ins_for_good() {
    let cloud = cloud();
    let (admin, user) = (admin(cloud).await, worker(cloud, &[]).await);
    let path = format!("/users/{}", user.id().await);
    let (socket, _) = Socket::hello(&user, json!({})).await;
    assert_eq!(
        admin.api.patch(&path, json!({"status": "suspended"})).await.expect(200)["status"],
        "suspended"
    );
    user.write().await.problem(403, "account_suspended");
    user.api.post("/live/tickets", json!({})).await.problem(403, "account_suspended");
    user.refresh(cloud).await.problem(403, "account_suspended");
    socket.closed().await;
    let problem = sign_in(&cloud.client(), &user.username, &user.password)
        .await
        .problem(403, "account_suspended");
    assert_eq!(problem["error"], "invalid_grant");
    sign_in(&cloud.client(), &user.username, "wrong horse").await.problem(401, "invalid_grant");

    admin.api.patch(&path, json!({"status": "active"})).await.expect(200);
    user.write().await.problem(401, "invalid_token");
    user.refresh(cloud).await.problem(401, "invalid_grant");
    User::sign_in(cloud, &user.username, &user.password).await.write().await.expect(200);
}

#[tokio::test]
async fn a_change_of_role_bites_on_the_next_write_and_closes_sockets_and_the_sign_in_goes_on_with_the_new_role()
 {
    let cloud = cloud();
    let (admin, user) = (admin(cloud).await, worker(cloud, &["Design"]).await);
    let path = format!("/users/{}", user.id().await);
    let (socket, _) = Socket::hello(&user, json!({})).await;
    let changed = admin.api.patch(&path, json!({"role": "client"})).await.expect(200);
    assert_eq!((&changed["role"], &changed["categories"]), (&json!("client"), &json!([])));
    user.write().await.problem(401, "invalid_token");
    user.api.post("/live/tickets", json!({})).await.problem(401, "invalid_token");
    socket.closed().await;
    let token = user.refresh(cloud).await.expect(200);
    let access_token = token["access_token"].as_str().unwrap().to_owned();
    let renewed = User { api: cloud.client().bearer(&access_token), access_token, ..user };
    assert_eq!(Forge::of(&renewed).claims["role"], "client");
    renewed.write().await.expect(200);
}

#[tokio::test]
async fn a_demoted_administrator_is_one_no_more_with_the_next_request() {
    let cloud = cloud();
    let (admin, other) = (admin(cloud).await, made("admin").await);
    other.api.get("/users?limit=1").await.expect(200);
    admin
        .api
        .patch(&format!("/users/{}", other.id().await), json!({"role": "client"}))
        .await
        .expect(200);
    let path = format!("/users/{}", client(cloud).await.id().await);
    other.api.get("/users?limit=1").await.problem(401, "invalid_token");
    other.api.get(&path).await.problem(401, "invalid_token");
    other.api.patch(&path, json!({"status": "suspended"})).await.problem(401, "invalid_token");
    other.api.delete(&path).await.problem(401, "invalid_token");
    other.api.post("/users", new(&unique("x"), "admin")).await.problem(401, "invalid_token");
}

#[tokio::test]
async fn who_is_deactivated_is_out_keeps_the_names_and_can_be_let_back_in() {
    let cloud = cloud();
    let (admin, user) = (admin(cloud).await, client(cloud).await);
    let path = format!("/users/{}", user.id().await);
    let (socket, _) = Socket::hello(&user, json!({})).await;
    for _ in 0..2 {
        assert_eq!(admin.api.delete(&path).await.expect(204), Value::Null);
    }
    assert_eq!(admin.api.get(&path).await.expect(200)["status"], "deactivated");
    user.write().await.problem(403, "account_suspended");
    socket.closed().await;
    sign_in(&cloud.client(), &user.username, &user.password)
        .await
        .problem(403, "account_suspended");
    let taken = admin.api.post("/users", new(&user.username, "client")).await.taken();
    assert_eq!(taken, ["username", "email"]);
    let wrong = admin.api.patch(&path, json!({"status": "deactivated"})).await.wrong_fields();
    assert_eq!(wrong, [("status".to_owned(), "invalid".to_owned())]);
    admin.api.patch(&path, json!({"status": "active"})).await.expect(200);
    User::sign_in(cloud, &user.username, &user.password).await.write().await.expect(200);
}

#[tokio::test]
async fn administrators_change_neither_their_own_role_nor_their_own_status() {
    let admin = made("admin").await;
    let path = format!("/users/{}", admin.id().await);
    for change in [
        json!({"role": "client"}),
        json!({"status": "suspended"}),
        json!({"username": unique("x"), "role": "worker"}),
    ] {
        admin.api.patch(&path, change).await.problem(409, "own_account");
    }
    admin.api.delete(&path).await.problem(409, "own_account");
    let renamed = unique("renamed");
    let change = json!({"username": renamed, "role": "admin", "status": "active"});
    assert_eq!(admin.api.patch(&path, change).await.expect(200)["username"], renamed.as_str());
    admin.write().await.expect(200);
}

#[tokio::test]
async fn if_match_lets_one_of_two_changes_through() {
    let cloud = cloud();
    let (admin, user) = (admin(cloud).await, client(cloud).await);
    let path = format!("/users/{}", user.id().await);
    let etag = admin.api.get(&path).await.header("etag").unwrap().to_owned();
    let api = admin.api.with("if-match", &etag);
    let change = async |n: usize| {
        api.patch(&path, json!({"username": unique(&format!("r{n}x"))})).await.status.as_u16()
    };
    let mut statuses = futures::future::join_all((0..5).map(change)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412]);
    let problem =
        api.patch(&path, json!({"status": "suspended"})).await.problem(412, "precondition_failed");
    assert_eq!(problem["version"], 2);
    api.delete(&path).await.problem(412, "precondition_failed");
    // Nothing was asked to change but under a condition: the user's own view has it, too.
    user.api
        .with("if-match", &etag)
        .patch("/auth/me", json!({"email": "x@example.com"}))
        .await
        .problem(412, "precondition_failed");
    user.api.with("if-match", "\"2\"").patch("/auth/me", json!({})).await.expect(200);
}
