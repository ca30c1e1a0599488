//! The `bootstrap-admin` function: the first administrator of a new stack, and that one always
//! remains.

use serde_json::{Value, json};

use crate::support::{Cloud, User, local_env, unique, workspace};

/// Invokes a function that must fail, and returns its error message.
async fn failure(cloud: &Cloud, function: &str, event: Value) -> String {
    let answer = cloud.try_invoke(function, event).await;
    assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"), "{:#}", answer.body);
    answer.body["errorMessage"].as_str().expect("a message").to_owned()
}

#[tokio::test]
async fn a_new_stack_gets_one_first_administrator_and_never_loses_the_last() {
    let keys = local_env("JWT_PUBLIC_KEYS").replace("local-", "test-");
    let keys = format!("JWT_PUBLIC_KEYS={keys}");
    let flags = [
        "--ephemeral",
        "--no-seed",
        "--env",
        "STAGE=production",
        "--env",
        &keys,
        "--env",
        "JWT_SIGNING_KEY_ID=test-1",
    ];
    let cloud = Cloud::start("production", &flags);

    let refused = failure(&cloud, "seed", json!({})).await;
    assert!(refused.contains("production"), "{refused}");
    for (event, says) in [
        (json!({}), "username"),
        (json!([]), "object"),
        (
            json!({"username": "root", "email": "root@example.com", "password": "12345678"}),
            "password",
        ),
        (json!({"username": "root", "email": "root@example.com", "role": "admin"}), "role"),
    ] {
        let refused = failure(&cloud, "bootstrap-admin", event).await;
        assert!(refused.contains(says), "{refused}");
    }

    let event =
        |n: usize| json!({"username": format!("root{n}"), "email": format!("root{n}@example.com")});
    let tries =
        futures::future::join_all((0..6).map(|n| cloud.try_invoke("bootstrap-admin", event(n))))
            .await;
    let (failed, created): (Vec<_>, Vec<_>) =
        tries.into_iter().partition(|answer| answer.header("x-amz-function-error").is_some());
    assert_eq!(created.len(), 1);
    for answer in failed {
        assert!(
            answer.body["errorMessage"].as_str().unwrap().starts_with("admin_exists"),
            "{:#}",
            answer.body
        );
    }
    let created = &created[0].body;
    let (username, password) =
        (created["username"].as_str().unwrap(), created["password"].as_str().unwrap());
    let first = User::sign_in(&cloud, username, password).await;
    let late =
        json!({"username": "late", "email": "late@example.com", "password": "correct horse"});
    assert!(failure(&cloud, "bootstrap-admin", late).await.starts_with("admin_exists"));
    let log = std::fs::read_to_string(workspace().join("target/tests/production.log")).unwrap();
    assert!(
        log.contains("bootstrap-admin") && !log.contains(password),
        "the password is not in the log"
    );

    assert_one_of_two_remains(&cloud, first).await;
}

/// Two administrators repeatedly demote each other at once: exactly one succeeds each time.
async fn assert_one_of_two_remains(cloud: &Cloud, first: User) {
    let username = unique("admin");
    let body = json!({
        "username": username, "email": format!("{username}@example.com"),
        "password": "correct horse", "role": "admin",
    });
    first.api.post("/users", body).await.expect_status(201);
    let second = User::sign_in(cloud, &username, "correct horse").await;
    let mut two = [first, second];
    for round in 0..6 {
        let paths =
            [format!("/users/{}", two[0].id().await), format!("/users/{}", two[1].id().await)];
        let demote = async |by: usize, whom: usize| match round % 3 {
            0 => two[by].api.patch(&paths[whom], json!({"status": "suspended"})).await,
            1 => two[by].api.patch(&paths[whom], json!({"role": "client"})).await,
            _ => two[by].api.delete(&paths[whom]).await,
        };
        let (a, b) = futures::join!(demote(0, 1), demote(1, 0));
        let winner = usize::from(b.status.is_success());
        let (won, lost) = if winner == 0 { (a, b) } else { (b, a) };
        assert!(won.status.is_success(), "{:#}", won.body);
        assert!([401, 403].contains(&lost.status.as_u16()), "both were demoted: {:#}", lost.body);
        // The winner is still an administrator and reinstates the other one.
        let back = json!({"status": "active", "role": "admin"});
        two[winner].api.patch(&paths[1 - winner], back).await.expect_status(200);
        let loser = &two[1 - winner];
        two[1 - winner] = User::sign_in(cloud, &loser.username, &loser.password).await;
    }
    // The last administrator can't demote themselves.
    let [last, other] = &two;
    last.api.delete(&format!("/users/{}", other.id().await)).await.expect_status(204);
    let path = format!("/users/{}", last.id().await);
    last.api.delete(&path).await.problem(409, "own_account");
    last.api.patch(&path, json!({"status": "suspended"})).await.problem(409, "own_account");
    last.send_empty_update().await.expect_status(200);
}
