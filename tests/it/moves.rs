//! Moving orders through the transition table: who may do what, when, and what the others see of
//! it.

use serde_json::{Value, json};

use crate::support::{
    Cloud, Job, People, User, admin, body, client, cloud, pay, place, service, unique,
    until_payment, worker,
};

/// Every move that has an endpoint.
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

fn actions(order: &Value) -> Vec<String> {
    let names = order["actions"].as_array().expect("actions").iter();
    names.map(|name| name.as_str().expect("a name").replace('_', "-")).collect()
}

async fn id(user: &User) -> Value {
    user.api.get("/auth/me").await.expect(200)["id"].clone()
}

#[tokio::test]
async fn an_order_can_go_through_every_state_and_its_history_says_who_did_what() {
    let cloud = cloud();
    let job = Job::in_state(cloud, "assigned").await;
    let (second, admin) = (worker(cloud, &[]).await, admin(cloud).await);
    let note = json!({"note": "I am ill."});
    let released = job.worker.api.post(&job.path("release"), note).await.expect(200);
    assert_eq!((&released["status"], &released["worker"]), (&json!("open"), &Value::Null));
    job.moves(&second, "accept").await;
    job.moves(&second, "deliver").await;
    job.moves(&job.client, "request-revision").await;
    job.moves(&second, "deliver").await;
    job.moves(&job.client, "dispute").await;
    let decided = json!({"outcome": "release", "note": "It is what was ordered."});
    let completed = admin.api.post(&job.path("resolve"), decided).await.expect(200);
    assert_eq!(
        (&completed["status"], &completed["payment_status"]),
        (&json!("completed"), &json!("paid"))
    );

    let events = job.client.api.get(&job.path("events")).await;
    let etag = events.header("etag").expect("an etag").to_owned();
    let events = events.expect(200);
    assert_eq!(events["next_cursor"], Value::Null);
    let items = events["items"].as_array().expect("items");
    let numbers: Vec<_> =
        items.iter().map(|event| event["n"].as_u64().expect("a number")).collect();
    assert_eq!(
        numbers,
        (1..=completed["version"].as_u64().expect("a version")).collect::<Vec<_>>()
    );
    let told: Vec<_> = items
        .iter()
        .map(|event| {
            (
                event["type"].as_str().expect("a type"),
                event["actor"]["kind"].as_str().expect("a kind"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("place", "client"),
            ("payment_started", "client"),
            ("pay", "stripe"),
            ("accept", "worker"),
            ("release", "worker"),
            ("accept", "worker"),
            ("deliver", "worker"),
            ("request_revision", "client"),
            ("deliver", "worker"),
            ("dispute", "client"),
            ("resolve_release", "admin"),
        ]
    );
    assert_eq!((&items[4]["note"], &items[4]["worker"]), (&json!("I am ill."), &Value::Null));
    assert_eq!(items[5]["actor"]["username"], second.username.as_str());
    assert_eq!(items[9]["note"], "For a reason.");
    assert!(items.iter().all(|event| event.get("idempotency").is_none()));
    let again = job.client.api.with("if-none-match", &etag).get(&job.path("events")).await;
    assert_eq!((again.status.as_u16(), again.header("etag")), (304, Some(etag.as_str())));

    // Its worker sees the work and not the payment's steps; who was its worker, and who never was,
    // see nothing.
    let seen = second.api.get(&job.path("events")).await.expect(200);
    let seen: Vec<_> =
        seen["items"].as_array().expect("items").iter().map(|event| event["n"].clone()).collect();
    assert_eq!(seen, (1..=11).filter(|n| *n != 2).map(Value::from).collect::<Vec<_>>());
    admin.api.get(&job.path("events")).await.expect(200);
    for stranger in [&job.worker, &client(cloud).await] {
        stranger.api.get(&job.path("events")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn the_pool_shows_an_order_but_not_its_history() {
    let job = Job::in_state(cloud(), "open").await;
    job.read(&job.worker).await;
    job.worker.api.get(&job.path("events")).await.problem(404, "not_found");
}

/// Tries every move that `actions` does not name; none is made. Returns how many that were.
async fn refused(job: &Job, user: &User, knows: bool) -> usize {
    let allowed = if knows { actions(&job.read(user).await) } else { Vec::new() };
    let before = job.read(&job.client).await;
    let forbidden = VERBS.into_iter().filter(|verb| !allowed.iter().any(|allowed| allowed == verb));
    let mut tried = 0;
    for verb in forbidden {
        let answer = user.api.post(&job.path(verb), body(verb)).await;
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
    assert_eq!(job.read(&job.client).await, before);
    tried
}

#[tokio::test]
async fn what_actions_does_not_name_is_refused_and_changes_nothing() {
    let cloud = cloud();
    let (admin, stranger, other) =
        (admin(cloud).await, client(cloud).await, worker(cloud, &[]).await);
    let people = People::new(cloud).await;
    let jobs = ["pending", "open", "assigned", "delivered", "disputed", "completed", "canceled"]
        .map(|status| {
            let people = (&people, &admin, &stranger, &other);
            async move {
                let (people, admin, stranger, other) = people;
                let job = Job::of(cloud, people, status).await;
                let pool = status == "open";
                let parties = !["pending", "canceled"].contains(&status);
                refused(&job, &job.client, true).await
                    + refused(&job, &job.worker, parties).await
                    + refused(&job, admin, true).await
                    + refused(&job, stranger, false).await
                    + refused(&job, other, pool).await
            }
        });
    let tried = futures::future::join_all(jobs).await;
    // 7 states, 5 people, 9 moves, less those that one of them may make.
    assert_eq!(tried, [45 - 2, 45 - 4, 45 - 6, 45 - 4, 45 - 1, 45, 45]);
}

#[tokio::test]
async fn what_actions_names_is_allowed_and_lists_say_the_same() {
    let cloud = cloud();
    let (admin, people) = (admin(cloud).await, People::new(cloud).await);
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
        let mut made = Vec::new();
        for verb in named.iter().copied().chain(named.is_empty().then_some("")) {
            let job = Job::of(cloud, &people, status).await;
            let user = if by == "client" { &job.client } else { &job.worker };
            let read = job.read(user).await;
            assert_eq!(actions(&read), named, "{status} {by}");
            // The newest is first.
            assert_eq!(
                user.api.get("/orders").await.expect(200)["items"][0],
                read,
                "{status} {by}"
            );
            if !verb.is_empty() {
                assert_eq!(
                    job.moves(user, verb).await["version"],
                    read["version"].as_u64().expect("a version") + 1
                );
                made.push(verb);
            }
        }
        assert_eq!(made, named);
    }
    for (status, named) in [
        ("pending", &["cancel"][..]),
        ("assigned", &["reassign", "cancel"]),
        ("disputed", &["resolve"]),
    ] {
        let job = Job::of(cloud, &people, status).await;
        let read = job.read(&admin).await;
        assert_eq!(actions(&read), named, "{status}");
        let listed = admin.api.get(&format!("/orders?limit=100&status={status}")).await.expect(200);
        assert!(listed["items"].as_array().expect("items").contains(&read), "{status}");
        job.moves(&admin, named[0]).await;
    }
}

#[tokio::test]
async fn wrong_bodies_are_refused_by_the_names_of_their_fields() {
    let job = Job::in_state(cloud(), "disputed").await;
    let admin = admin(cloud()).await;
    let too_long = "x".repeat(10_000);
    for (user, verb, body, wrong) in [
        (&job.client, "cancel", json!({}), &[("reason", "required")][..]),
        (
            &job.client,
            "cancel",
            json!({"note": "x"}),
            &[("reason", "required"), ("note", "unknown")],
        ),
        (&job.client, "dispute", json!({"reason": 7}), &[("reason", "not_a_string")]),
        (&job.client, "dispute", json!({"reason": too_long}), &[("reason", "too_long")]),
        (&job.client, "complete", json!({"note": too_long}), &[("note", "too_long")]),
        (&admin, "resolve", json!({}), &[("outcome", "required"), ("note", "required")]),
        (&admin, "resolve", json!({"outcome": "split", "note": "x"}), &[("outcome", "invalid")]),
        (&admin, "reassign", json!({"worker_id": "nobody"}), &[("worker_id", "invalid_id")]),
        (&admin, "reassign", json!({"worker": "x"}), &[("worker", "unknown")]),
    ] {
        let fields = user.api.post(&job.path(verb), body).await.wrong_fields();
        let fields: Vec<_> =
            fields.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
        assert_eq!(fields, wrong, "{verb}");
    }
}

#[tokio::test]
async fn an_admin_gives_an_order_to_another_worker_or_back_to_the_pool() {
    let cloud = cloud();
    let (admin, second) = (admin(cloud).await, worker(cloud, &[]).await);
    let job = Job::in_state(cloud, "assigned").await;
    let path = job.path("reassign");
    let nobody = json!({"worker_id": "usr_00000000000000000000000000"});
    let wrong = admin.api.post(&path, nobody).await.wrong_fields();
    assert_eq!(wrong, [("worker_id".to_owned(), "unknown_user".to_owned())]);
    // Its client, its worker, the administrator who asks, another client: none of them can take it.
    for unfit in [&job.client, &job.worker, &admin, &client(cloud).await] {
        let body = json!({"worker_id": id(unfit).await});
        admin.api.post(&path, body).await.problem(409, "worker_not_eligible");
    }
    let given = admin.api.post(&path, json!({"worker_id": id(&second).await})).await.expect(200);
    assert_eq!(
        (&given["status"], &given["worker"]["username"]),
        (&json!("assigned"), &json!(second.username))
    );
    job.worker.api.post(&job.path("deliver"), json!({})).await.problem(404, "not_found");
    assert_eq!(second.api.get("/orders").await.expect(200)["items"][0]["id"], job.id.as_str());
    assert_eq!(job.worker.api.get("/orders").await.expect(200)["items"], json!([]));

    let back = admin.api.post(&path, json!({})).await.expect(200);
    assert_eq!((&back["status"], &back["worker"]), (&json!("open"), &Value::Null));
    second.api.post(&job.path("accept"), json!({})).await.expect(200);
}

#[tokio::test]
async fn an_order_that_is_given_back_is_at_the_front_of_the_pool_again() {
    let cloud = cloud();
    let (category, owner, worker) =
        (unique("Pool "), client(cloud).await, worker(cloud, &[]).await);
    let service = service(cloud, &category).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        let order = place(&owner, &service).await;
        assert_eq!(pay(cloud, &owner, &order, "pm_card_visa").await["status"], 200);
        crate::support::until(&owner, &order, "open").await;
        orders.push(order);
    }
    let pool = async || {
        // By pages of two.
        let path = format!("/orders/open?category={}&limit=2", category.replace(' ', "%20"));
        let first = worker.api.get(&path).await.expect(200);
        let mut all = first["items"].as_array().expect("items").clone();
        if let Some(cursor) = first["next_cursor"].as_str() {
            let next = worker.api.get(&format!("{path}&cursor={cursor}")).await.expect(200);
            all.extend(next["items"].as_array().expect("items").clone());
            assert_eq!(next["next_cursor"], Value::Null);
        }
        all.into_iter()
            .map(|order| order["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(pool().await, orders);
    worker.api.post(&format!("/orders/{}/accept", orders[0]), json!({})).await.expect(200);
    assert_eq!(pool().await, orders[1..]);
    worker.api.post(&format!("/orders/{}/release", orders[0]), json!({})).await.expect(200);
    assert_eq!(pool().await, orders);
}

#[tokio::test]
async fn a_worker_and_a_client_get_no_further_than_the_bounds_of_revisions_and_handovers() {
    let job = Job::in_state(cloud(), "delivered").await;
    for _ in 0..5 {
        job.moves(&job.client, "request-revision").await;
        job.moves(&job.worker, "deliver").await;
    }
    assert_eq!(actions(&job.read(&job.client).await), ["complete", "dispute"]);
    let path = job.path("request-revision");
    let problem = job.client.api.post(&path, json!({})).await.problem(409, "no_revisions_left");
    assert_eq!(problem["order_status"], "delivered");

    let job = Job::in_state(cloud(), "assigned").await;
    for _ in 0..10 {
        job.moves(&job.worker, "release").await;
        job.moves(&job.worker, "accept").await;
    }
    assert_eq!(actions(&job.read(&job.worker).await), ["deliver", "dispute"]);
    job.worker.api.post(&job.path("release"), json!({})).await.problem(409, "no_handovers_left");
}

/// The order's one intent, as the stand-in for Stripe has it.
async fn intent_status(cloud: &Cloud, intent: &Value) -> Value {
    let intent = intent.as_str().expect("an intent");
    let stripe = cloud.stripe().bearer("sk_test_local");
    stripe.get(&format!("/v1/payment_intents/{intent}")).await.expect(200)["status"].clone()
}

#[tokio::test]
async fn canceling_an_unpaid_order_cancels_its_intent_whoever_does_it_on_either_road() {
    let cloud = cloud();
    let (admin, people) = (admin(cloud).await, People::new(cloud).await);
    for (by_admin, verb) in [(false, "cancel"), (true, "cancel"), (false, "payment/cancel")] {
        let job = Job::of(cloud, &people, "pending").await;
        let payment = job.client.api.post(&job.path("payment"), json!({})).await.expect(200);
        let user = if by_admin { &admin } else { &job.client };
        let keyed = user.api.with("idempotency-key", &unique("key"));
        let first = keyed.post(&job.path(verb), body(verb)).await.expect(200);
        assert_eq!(
            (&first["status"], &first["payment_status"]),
            (&json!("canceled"), &json!("unpaid"))
        );
        assert_eq!(
            intent_status(cloud, &payment["payment_intent_id"]).await,
            "canceled",
            "before the answer"
        );
        let again = keyed.post(&job.path(verb), body(verb)).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect(200), first);
        user.api.post(&job.path(verb), body(verb)).await.problem(409, "illegal_transition");
        assert_eq!(
            pay(cloud, &job.client, &job.id, "pm_card_visa").await["status"],
            400,
            "it can't be paid any more"
        );
    }
    // Without an intent there is nothing to do at Stripe, and the answer to a repetition is the
    // same, too.
    let job = Job::in_state(cloud, "pending").await;
    let keyed = job.client.api.with("idempotency-key", &unique("key"));
    let first = keyed.post(&job.path("payment/cancel"), json!({})).await.expect(200);
    assert_eq!(keyed.post(&job.path("payment/cancel"), json!({})).await.expect(200), first);
    job.client.api.post(&job.path("payment"), json!({})).await.problem(409, "order_not_payable");
}

#[tokio::test]
async fn what_was_paid_for_an_order_that_is_called_off_goes_back() {
    let cloud = cloud();
    let (admin, people) = (admin(cloud).await, People::new(cloud).await);
    for (status, verb) in [("open", "cancel"), ("assigned", "cancel"), ("disputed", "resolve")] {
        let job = Job::of(cloud, &people, status).await;
        let user = if status == "open" { &job.client } else { &admin };
        let called_off = job.moves(user, verb).await;
        assert_eq!(
            (&called_off["status"], &called_off["payment_status"]),
            (&json!("canceled"), &json!("refund_pending"))
        );
        until_payment(&job.client, &job.id, "refunded").await;
        let payment = job.client.api.get(&job.path("payment")).await.expect(200);
        assert_eq!(payment["balance"]["amount"], 0);
        assert_eq!(payment["refunds"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn a_move_whose_answer_from_the_database_is_lost_is_made_once_and_answered_as_made() {
    let cloud = cloud();
    let job = Job::in_state(cloud, "assigned").await;
    let before = job.read(&job.client).await["version"].as_u64().expect("a version");
    let database = crate::support::Client::new(&cloud.ready.dynamodb);
    let fault =
        json!({"function": "orders-deliver", "action": "PutItem", "error": "lost_response"});
    let planted = database.post("/_local/faults", fault).await;
    assert!(planted.status.is_success(), "{planted:?}");
    // Another test's delivery may meet the fault instead, with the same result.
    assert_eq!(job.moves(&job.worker, "deliver").await["status"], "delivered");
    assert_eq!(job.read(&job.client).await["version"], before + 1);
}

/// Who was a client becomes a worker: their own order is in the pool that they see, and not theirs
/// to claim. A suspended worker claims none.
#[tokio::test]
async fn neither_its_own_client_nor_a_suspended_worker_claims_an_order() {
    let cloud = cloud();
    let admin = admin(cloud).await;
    let job = Job::in_state(cloud, "open").await;
    let change = async |user: &User, change: Value| {
        let path = format!("/users/{}", id(user).await.as_str().expect("an id"));
        admin.api.patch(&path, change).await.expect(200)
    };
    change(&job.client, json!({"role": "worker"})).await;
    let turned = User::sign_in(cloud, &job.client.username, &job.client.password).await;
    let read = job.read(&turned).await;
    assert_eq!(actions(&read), Vec::<String>::new());
    let category = read["service"]["category"].as_str().expect("a category").replace(' ', "%20");
    let pool = turned.api.get(&format!("/orders/open?category={category}")).await.expect(200);
    assert_eq!(pool["items"], json!([read]));
    turned.api.post(&job.path("accept"), json!({})).await.problem(403, "own_order");

    // With a token that is good for minutes yet.
    change(&job.worker, json!({"status": "suspended"})).await;
    job.worker.api.post(&job.path("accept"), json!({})).await.problem(403, "account_suspended");
    let taken = job.read(&turned).await;
    assert_eq!(taken["status"], "open");

    // Nor is an order given to one.
    let assigned = Job::in_state(cloud, "assigned").await;
    let suspended = format!("/users?q={}", job.worker.username);
    let suspended = admin.api.get(&suspended).await.expect(200)["items"][0]["id"].clone();
    let body = json!({"worker_id": suspended});
    admin.api.post(&assigned.path("reassign"), body).await.problem(409, "worker_not_eligible");
}
