//! The `actions` of an order: exactly the transitions that its reader may make.

use super::actions;
use crate::support::{
    Parties, TestOrder, User, admin, new_client, new_worker, shared_cloud, transition_body,
};

/// Every transition that has an endpoint.
const VERBS: [&str; 9] = [
    "accept",
    "release",
    "deliver",
    "request-revision",
    "complete",
    "cancel",
    "dispute",
    "reassign",
    "resolve",
];

/// Tries every transition missing from `actions`, asserts that all are rejected, and returns how
/// many it tried. A user who may not read the order has no `actions`.
async fn assert_others_rejected(order: &TestOrder, user: &User, may_read: bool) -> usize {
    let allowed = if may_read { actions(&order.read(user).await) } else { Vec::new() };
    let before = order.read(&order.client).await;
    let forbidden = VERBS.into_iter().filter(|verb| !allowed.iter().any(|allowed| allowed == verb));
    let mut tried = 0;
    for verb in forbidden {
        let answer = user.api.post(&order.path(verb), transition_body(verb)).await;
        let (status, code) = (answer.status.as_u16(), answer.body["code"].clone());
        let code = code.as_str().expect("a code").to_owned();
        let problem = answer.problem(status, &code);
        match status {
            403 | 404 => {}
            409 => {
                assert_eq!(problem["order_status"], before["status"], "{verb}: {problem:#}");
                assert_eq!(problem["version"], before["version"], "{verb}: {problem:#}");
            }
            _ => panic!("{verb} of an order that is {}: {problem:#}", before["status"]),
        }
        tried += 1;
    }
    assert_eq!(order.read(&order.client).await, before);
    tried
}

#[tokio::test]
async fn a_transition_missing_from_actions_is_rejected_and_changes_nothing() {
    let cloud = shared_cloud();
    let (admin, stranger, other) =
        (admin(cloud).await, new_client(cloud).await, new_worker(cloud, &[]).await);
    let parties = Parties::new(cloud).await;
    let attempts =
        ["pending", "open", "assigned", "delivered", "disputed", "completed", "canceled"].map(
            |status| {
                let users = (&parties, &admin, &stranger, &other);
                async move {
                    let (parties, admin, stranger, other) = users;
                    let order = TestOrder::between(cloud, parties, status).await;
                    let in_pool = status == "open";
                    let may_read = !["pending", "canceled"].contains(&status);
                    assert_others_rejected(&order, &order.client, true).await
                        + assert_others_rejected(&order, &order.worker, may_read).await
                        + assert_others_rejected(&order, admin, true).await
                        + assert_others_rejected(&order, stranger, false).await
                        + assert_others_rejected(&order, other, in_pool).await
                }
            },
        );
    let tried = futures::future::join_all(attempts).await;
    // 7 states with 5 users and 9 transitions each, less the allowed ones.
    assert_eq!(tried, [45 - 2, 45 - 4, 45 - 6, 45 - 4, 45 - 1, 45, 45]);
}

#[tokio::test]
async fn every_transition_in_actions_is_allowed_and_lists_agree() {
    let cloud = shared_cloud();
    let (admin, parties) = (admin(cloud).await, Parties::new(cloud).await);
    for (status, by, named) in [
        ("pending", "client", &["cancel"][..]),
        ("open", "client", &["cancel"]),
        ("assigned", "client", &["dispute"]),
        ("assigned", "worker", &["release", "deliver", "dispute"]),
        ("delivered", "client", &["request-revision", "complete", "dispute"]),
        ("delivered", "worker", &["dispute"]),
        ("disputed", "client", &[]),
        ("disputed", "worker", &[]),
        ("completed", "client", &[]),
    ] {
        let mut done = Vec::new();
        for verb in named.iter().copied().chain(named.is_empty().then_some("")) {
            let order = TestOrder::between(cloud, &parties, status).await;
            let user = if by == "client" { &order.client } else { &order.worker };
            let read = order.read(user).await;
            assert_eq!(actions(&read), named, "{status} {by}");
            // The list has the newest order first.
            assert_eq!(
                user.api.get("/orders").await.expect_status(200)["items"][0],
                read,
                "{status} {by}"
            );
            if !verb.is_empty() {
                assert_eq!(
                    order.transition(user, verb).await["version"],
                    read["version"].as_u64().expect("a version") + 1
                );
                done.push(verb);
            }
        }
        assert_eq!(done, named);
    }
    for (status, named) in [
        ("pending", &["cancel"][..]),
        ("assigned", &["reassign", "cancel"]),
        ("disputed", &["resolve"]),
    ] {
        let order = TestOrder::between(cloud, &parties, status).await;
        let read = order.read(&admin).await;
        assert_eq!(actions(&read), named, "{status}");
        let listed =
            admin.api.get(&format!("/orders?limit=100&status={status}")).await.expect_status(200);
        assert!(listed["items"].as_array().expect("items").contains(&read), "{status}");
        order.transition(&admin, named[0]).await;
    }
}
