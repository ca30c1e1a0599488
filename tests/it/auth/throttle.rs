//! Limits on password attempts and registrations.
//!
//! These tests share a cloud with low limits and a window that ends in 2033. Every test uses its
//! own IP addresses. On Linux, all of 127.0.0.0/8 is this machine.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::support::{Client, Cloud, Response, sign_in, unique};

/// How many wrong passwords are allowed for one username.
const FAILURES_PER_USERNAME: usize = 5;

/// How many wrong passwords are allowed from one IP address.
const FAILURES_PER_IP_ADDRESS: usize = 12;

/// How many registrations are allowed from one IP address.
const REGISTRATIONS: usize = 6;

fn strict_cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| {
        let limit = |variable: &str, max: usize| format!("{variable}={max}/1000000000");
        let limits = [
            limit("SIGN_INS_PER_USERNAME", FAILURES_PER_USERNAME),
            limit("SIGN_INS_PER_IP_ADDRESS", FAILURES_PER_IP_ADDRESS),
            limit("REGISTRATIONS_PER_IP_ADDRESS", REGISTRATIONS),
        ];
        let mut flags = vec!["--ephemeral"];
        for limit in &limits {
            flags.extend(["--env", limit]);
        }
        Cloud::start("strict", &flags)
    })
}

/// Returns a client with its own IP address.
fn client_at_new_ip() -> Client {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    Client::from_ip_address(
        &strict_cloud().ready.http,
        [127, 0, 77, NEXT.fetch_add(1, Ordering::Relaxed)],
    )
}

async fn register(api: &Client) -> Response {
    let username = unique("t");
    let body = json!({
        "username": username, "email": format!("{username}@example.com"),
        "password": "correct horse",
    });
    api.post("/auth/register", body).await
}

/// Registers a user who has not signed in from any IP address, and returns the username.
async fn new_user() -> String {
    register(&client_at_new_ip()).await.expect_status(201)["username"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_throttled(answer: Response) -> Value {
    let seconds = answer.header("retry-after").and_then(|s| s.parse::<u64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{:#}", answer.body);
    let mut problem = answer.problem(429, "too_many_requests");
    // Removes what differs between responses: the request id and the remaining seconds.
    problem["request_id"].take();
    let detail = problem["detail"].as_str().unwrap().replace(|c: char| c.is_ascii_digit(), "");
    problem["detail"] = detail.into();
    problem
}

#[tokio::test]
async fn concurrent_attempts_on_a_username_never_exceed_the_limit_whether_it_exists_or_not() {
    let known = new_user().await;
    let mut answers = Vec::new();
    for username in [known.clone(), unique("nobody")] {
        // Each attempt comes from its own IP address, so only the limit of the username applies.
        let attempts = (0..4 * FAILURES_PER_USERNAME).map(|n| {
            let (api, username) = (
                client_at_new_ip(),
                if n % 2 == 0 { username.to_uppercase() } else { format!(" {username} ") },
            );
            async move { sign_in(&api, &username, "wrong horse").await }
        });
        let (checked, refused): (Vec<_>, Vec<_>) = futures::future::join_all(attempts)
            .await
            .into_iter()
            .partition(|answer| answer.status == 401);
        assert_eq!(
            (checked.len(), refused.len()),
            (FAILURES_PER_USERNAME, 3 * FAILURES_PER_USERNAME),
            "{username}"
        );
        for answer in checked {
            answer.problem(401, "invalid_grant");
        }
        for answer in refused {
            assert_throttled(answer);
        }
        // The correct password is rejected as well.
        answers
            .push(assert_throttled(sign_in(&client_at_new_ip(), &username, "correct horse").await));
    }
    assert_eq!(answers[0], answers[1], "the answer does not reveal whether the user exists");
}

#[tokio::test]
async fn failures_elsewhere_do_not_lock_a_user_out_of_a_known_ip_address() {
    let username = new_user().await;
    let home = client_at_new_ip();
    sign_in(&home, &username, "correct horse").await.expect_status(200);
    for _ in 0..FAILURES_PER_USERNAME {
        sign_in(&client_at_new_ip(), &username, "wrong horse").await.problem(401, "invalid_grant");
    }
    assert_throttled(sign_in(&client_at_new_ip(), &username, "correct horse").await);
    for _ in 0..2 * FAILURES_PER_USERNAME {
        sign_in(&home, &username, "correct horse").await.expect_status(200);
    }
    // A known IP address has its own limit.
    for _ in 0..FAILURES_PER_USERNAME {
        sign_in(&home, &username, "wrong horse").await.problem(401, "invalid_grant");
    }
    assert_throttled(sign_in(&home, &username, "correct horse").await);
}

#[tokio::test]
async fn a_successful_sign_in_neither_counts_nor_resets_failures() {
    let (username, api) = (new_user().await, client_at_new_ip());
    for _ in 0..2 * FAILURES_PER_USERNAME {
        sign_in(&api, &username, "correct horse").await.expect_status(200);
    }
    let (username, other) = (new_user().await, new_user().await);
    for _ in 0..FAILURES_PER_USERNAME {
        sign_in(&client_at_new_ip(), &username, "wrong horse").await.problem(401, "invalid_grant");
        // An attacker can't reset the counters of the username or the IP address by signing in to
        // their own account.
        sign_in(&api, &other, "correct horse").await.expect_status(200);
    }
    assert_throttled(sign_in(&api, &username, "correct horse").await);
}

#[tokio::test]
async fn an_ip_address_is_limited_over_all_usernames_and_cannot_be_spoofed() {
    let (username, api) = (new_user().await, client_at_new_ip());
    for n in 0..FAILURES_PER_IP_ADDRESS {
        let api = api
            .with_header("x-forwarded-for", &format!("198.51.100.{n}"))
            .with_header("forwarded", &format!("for=198.51.100.{n}"));
        sign_in(&api, &unique("nobody"), "wrong horse").await.problem(401, "invalid_grant");
    }
    assert_throttled(sign_in(&api, &unique("nobody"), "wrong horse").await);
    assert_throttled(sign_in(&api, &username, "correct horse").await);
    for header in ["x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip"] {
        assert_throttled(
            sign_in(&api.with_header(header, "203.0.113.9"), &username, "correct horse").await,
        );
    }
    // Attempts that are rejected for their IP address do not count against the username.
    for _ in 0..2 * FAILURES_PER_USERNAME {
        assert_throttled(sign_in(&api, &username, "wrong horse").await);
    }
    sign_in(&client_at_new_ip(), &username, "correct horse").await.expect_status(200);
}

#[tokio::test]
async fn concurrent_registrations_from_one_ip_address_are_limited() {
    let api = client_at_new_ip();
    let tries = (0..3 * REGISTRATIONS).map(|n| {
        let api = api.with_header("x-forwarded-for", &format!("198.51.100.{n}"));
        async move { register(&api).await }
    });
    let (registered, refused): (Vec<_>, Vec<_>) =
        futures::future::join_all(tries).await.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((registered.len(), refused.len()), (REGISTRATIONS, 2 * REGISTRATIONS));
    refused.into_iter().for_each(|answer| drop(assert_throttled(answer)));
    register(&client_at_new_ip()).await.expect_status(201);
}

#[tokio::test]
async fn password_changes_are_limited_like_sign_ins() {
    let (username, api) = (new_user().await, client_at_new_ip());
    let token = sign_in(&api, &username, "correct horse").await.expect_status(200);
    let api = api.bearer(token["access_token"].as_str().unwrap());
    let change = async |current: &str| {
        api.post(
            "/auth/password",
            json!({"current_password": current, "new_password": "battery staple"}),
        )
        .await
    };
    let tries =
        futures::future::join_all((0..3 * FAILURES_PER_USERNAME).map(|_| change("wrong horse")))
            .await;
    let checked = tries.iter().filter(|answer| answer.status == 403).count();
    assert_eq!(checked, FAILURES_PER_USERNAME);
    assert_throttled(change("correct horse").await);
}
