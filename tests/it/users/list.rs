//! `GET /users`.

use serde_json::json;

use super::{names, new_user};
use crate::support::{Client, admin, new_client, shared_cloud, unique};

/// Returns the usernames on all pages of a list.
async fn all(api: &Client, query: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/users?{query}{cursor}")).await.expect_status(200);
        found.extend(names(&page).into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn users_are_listed_by_role_status_and_username_prefix() {
    let cloud = shared_cloud();
    let admin = admin(cloud).await;
    let prefix = unique("Li");
    let mut ids = Vec::new();
    for (n, role) in ["worker", "client", "client", "worker", "client"].into_iter().enumerate() {
        let user = admin
            .api
            .post("/users", new_user(&format!("{prefix}-{n}"), role))
            .await
            .expect_status(201);
        ids.push(user["id"].as_str().unwrap().to_owned());
    }
    admin
        .api
        .patch(&format!("/users/{}", ids[2]), json!({"status": "suspended"}))
        .await
        .expect_status(200);
    admin.api.delete(&format!("/users/{}", ids[4])).await.expect_status(204);

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

    // Without a username prefix, the newest users come first.
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
    // A user whose username, role or status changes moves between the lists.
    let path = format!("/users/{}", ids[2]);
    let renamed = format!("{prefix}-9");
    let change = json!({"username": renamed, "role": "worker", "status": "active"});
    admin.api.patch(&path, change).await.expect_status(200);
    assert_eq!(list("&role=worker").await, [some(&[0, 3]), vec![renamed]].concat());
    assert_eq!(list("&status=suspended").await, some(&[]));
}

#[tokio::test]
async fn unknown_parameters_and_foreign_cursors_are_rejected() {
    let cloud = shared_cloud();
    let admin = admin(cloud).await;
    for _ in 0..2 {
        new_client(cloud).await;
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
            admin.api.get(&format!("/users?{query}")).await.field_errors()[0].0,
            field,
            "{query}"
        );
    }
    let page = admin.api.get("/users?role=client&limit=1").await;
    let link = page.header("link").unwrap().to_owned();
    assert!(link.contains("/users?limit=1&role=client&cursor="), "{link}");
    let cursor = page.expect_status(200)["next_cursor"].as_str().unwrap().to_owned();
    admin.api.get(&format!("/users?role=client&limit=50&cursor={cursor}")).await.expect_status(200);
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
