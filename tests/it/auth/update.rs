//! `PATCH /auth/me`.

use serde_json::json;

use crate::support::{User, new_client, new_worker, shared_cloud, sign_in, unique};

/// Returns whether a new user can register this username.
async fn is_free(username: &str) -> bool {
    let body = json!({
        "email": format!("{}@example.com", unique("probe")), "username": username,
        "password": "correct horse",
    });
    shared_cloud().client().post("/auth/register", body).await.status == 201
}

#[tokio::test]
async fn a_renamed_user_signs_in_with_the_new_username_and_e_mail_and_the_old_ones_are_free() {
    let cloud = shared_cloud();
    let user = new_worker(cloud, &[]).await;
    let before = user.me().await;
    let (username, email) = (unique("New"), format!("{}@example.com", unique("new")));
    let change = json!({
        "username": username, "email": email, "categories": ["Design", "design", "Writing"],
    });
    let answer = user.api.patch("/auth/me", change).await;
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let changed = answer.expect_status(200);
    assert_eq!(changed["categories"], json!(["Design", "Writing"]));
    assert_eq!((&changed["id"], &changed["role"]), (&before["id"], &before["role"]));
    assert_eq!(user.me().await, changed);
    for name in [&username.to_lowercase(), &email.to_uppercase()] {
        User::sign_in(cloud, name, &user.password).await;
    }
    sign_in(&cloud.client(), &user.username, &user.password).await.problem(401, "invalid_grant");
    let again = json!({
        "email": before["email"], "username": before["username"], "password": "correct horse",
    });
    cloud.client().post("/auth/register", again).await.expect_status(201);
}

#[tokio::test]
async fn changing_only_the_case_of_a_username_keeps_it_reserved() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let upper_case = user.username.to_uppercase();
    assert_eq!(
        user.api.patch("/auth/me", json!({"username": upper_case})).await.expect_status(200)["username"],
        upper_case.as_str()
    );
    let same = user.api.patch("/auth/me", json!({"username": upper_case, "email": null})).await;
    assert_eq!(same.header("etag"), Some("\"2\""), "nothing changed");
    let email = user.me().await["email"].as_str().unwrap().to_uppercase();
    assert_eq!(
        user.api.patch("/auth/me", json!({"email": email})).await.expect_status(200)["email"],
        email.as_str()
    );
    User::sign_in(cloud, &user.username, &user.password).await;
    assert!(!is_free(&user.username).await);
}

#[tokio::test]
async fn a_taken_username_or_e_mail_is_rejected_and_a_rejected_change_changes_nothing() {
    let cloud = shared_cloud();
    let (user, other) = (new_client(cloud).await, new_client(cloud).await);
    let (before, other_account) = (user.me().await, other.me().await);
    let free_name = unique("free");
    for (change, taken) in [
        (
            json!({
                "username": other.username.to_uppercase(), "email": format!("{free_name}@example.com"),
            }),
            vec!["username"],
        ),
        (json!({"username": free_name, "email": other_account["email"]}), vec!["email"]),
        (
            json!({"username": other.username, "email": other_account["email"]}),
            vec!["username", "email"],
        ),
    ] {
        assert_eq!(user.api.patch("/auth/me", change).await.fields_taken(), taken);
    }
    let wrong = user
        .api
        .patch("/auth/me", json!({"role": "admin", "status": "active", "password": "x", "id": "y"}))
        .await;
    assert_eq!(wrong.field_errors().len(), 4);
    let wrong = user.api.patch("/auth/me", json!({"categories": ["Design"]})).await.field_errors();
    assert_eq!(wrong, [("categories".to_owned(), "not_a_worker".to_owned())]);
    assert_eq!(user.me().await, before);
    assert!(is_free(&free_name).await, "a refused change reserves no name");
}

/// Returns the id of the user that the table reserves this username for, if any.
async fn holder(username: &str) -> Option<String> {
    let key = json!({
        "pk": {"S": format!("USERNAME#{}", username.to_lowercase())}, "sk": {"S": "USERNAME"},
    });
    let cloud = shared_cloud();
    let item =
        cloud.dynamodb("GetItem", json!({"TableName": cloud.table().await, "Key": key})).await;
    item["Item"]["doc"]["M"]["user_id"]["S"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn one_of_several_concurrent_renames_to_a_username_wins() {
    let cloud = shared_cloud();
    let users = [new_client(cloud).await, new_client(cloud).await, new_client(cloud).await];
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
async fn concurrent_renames_of_one_user_leave_one_username_reserved() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
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
async fn two_users_swap_usernames_only_by_way_of_a_third_username() {
    let cloud = shared_cloud();
    let (ann, bob) = (new_client(cloud).await, new_client(cloud).await);
    let rename =
        async |user: &User, name: &str| user.api.patch("/auth/me", json!({"username": name})).await;
    let (a, b) = futures::join!(rename(&ann, &bob.username), rename(&bob, &ann.username));
    a.problem(409, "name_taken");
    b.problem(409, "name_taken");
    rename(&ann, &unique("third")).await.expect_status(200);
    rename(&bob, &ann.username).await.expect_status(200);
    rename(&ann, &bob.username).await.expect_status(200);
    assert_eq!(holder(&ann.username).await, Some(bob.id().await));
    assert_eq!(holder(&bob.username).await, Some(ann.id().await));
}
