//! Sockets in bad company: networks that hang, throttles, clients that say too much, rows that are
//! gone.

use serde_json::{Value, json};

use crate::support::{Client, Cloud, Job, Socket, User, client, cloud, eventually, unique};

/// What goes wrong on the way to sockets, as `local/src/websocket/faults.rs` has it: to those who
/// read this user's feed.
struct Faults {
    gateway: Client,
    feed: String,
}

impl Faults {
    async fn of(cloud: &Cloud, user: &User) -> Self {
        Self {
            gateway: Client::new(&cloud.ready.invoke),
            feed: format!("user:{}", user.id().await),
        }
    }

    async fn add(&self, fault: &str, times: u32) {
        let rule =
            json!({"fault": fault, "method": "POST", "containing": self.entry(), "times": times});
        self.gateway.post("/_local/faults", rule).await.expect(201);
    }

    /// How often a fault is still to happen.
    async fn left(&self) -> u64 {
        let faults = self.gateway.get("/_local/faults").await.expect(200);
        let own =
            faults.as_array().unwrap().iter().filter(|fault| fault["containing"] == self.entry());
        own.map(|fault| fault["times"].as_u64().unwrap()).sum()
    }

    async fn clear(&self) {
        let path = format!("/_local/faults?containing={}", Client::percent(&self.entry()));
        self.gateway.delete(&path).await.expect(200);
    }

    /// What only entries have in them, and no welcome.
    fn entry(&self) -> String {
        format!("\"feed\":\"{}\"", self.feed)
    }
}

/// A client and a worker who are connected, and write to each other about an order.
struct Talk {
    job: Job,
    client: Socket,
    worker: Socket,
}

impl Talk {
    async fn new(cloud: &Cloud) -> Self {
        let job = Job::in_state(cloud, "assigned").await;
        // What happened until now is passed over: the feeds have it before anyone says hello.
        for user in [&job.client, &job.worker] {
            let path = format!("/live/feed?feed=user:{}", user.id().await);
            eventually("the feed has the order", async || {
                let items = user.api.get(&path).await.expect(200)["items"].clone();
                items
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|entry| entry["type"] == "order.assigned")
                    .then_some(())
            })
            .await;
        }
        let (client, _) = Socket::hello(&job.client, json!({})).await;
        let (worker, _) = Socket::hello(&job.worker, json!({})).await;
        Self { job, client, worker }
    }

    async fn write(&self, from: &User, text: &str) {
        from.api.post(&self.job.path("messages"), json!({"text": text})).await.expect(201);
    }
}

/// The next message that a socket gets, whatever happens to others meanwhile.
async fn message(socket: &mut Socket) -> Value {
    loop {
        let entry = socket.next().await;
        if entry["type"] == "message.received" {
            return entry;
        }
    }
}

async fn text(socket: &mut Socket) -> Value {
    message(socket).await["data"]["text"].clone()
}

async fn ping(socket: &mut Socket) {
    socket.send(json!({"action": "ping"})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_socket_that_hangs_delays_nobody_and_gets_its_entries_when_it_no_longer_does() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let faults = Faults::of(cloud, &talk.job.client).await;
    faults.add("timeout", 4).await;
    talk.write(&talk.job.worker, "one").await;
    eventually("a push hangs", async || (faults.left().await < 4).then_some(())).await;
    talk.write(&talk.job.client, "two").await;
    assert_eq!(text(&mut talk.worker).await, "two");
    assert!(faults.left().await > 0, "others get theirs while the socket still hangs");
    talk.write(&talk.job.worker, "three").await;
    talk.write(&talk.job.worker, "four").await;
    for expected in ["one", "three", "four"] {
        assert_eq!(text(&mut talk.client).await, expected, "over the same socket");
    }
    assert_eq!(faults.left().await, 0);
    ping(&mut talk.client).await;
    // It is pushed to as before.
    talk.write(&talk.job.worker, "five").await;
    assert_eq!(text(&mut talk.client).await, "five");
}

#[tokio::test]
async fn a_socket_that_hangs_for_good_is_closed_and_its_client_comes_back_and_misses_nothing() {
    let cloud = cloud();
    let talk = Talk::new(cloud).await;
    let job = &talk.job;
    let own = format!("user:{}", job.client.id().await);
    let last =
        job.client.api.get(&format!("/live/feed?feed={own}")).await.expect(200)["last"].clone();
    let faults = Faults::of(cloud, &job.client).await;
    faults.add("timeout", 1000).await;
    talk.write(&job.worker, "one").await;
    talk.write(&job.worker, "two").await;
    talk.client.closed().await;
    // Whoever comes back has a network that works.
    faults.clear().await;
    let (mut again, _) = Socket::hello(&talk.job.client, json!({own: last})).await;
    assert_eq!([text(&mut again).await, text(&mut again).await], ["one", "two"]);
}

#[tokio::test]
async fn pushes_that_are_throttled_are_tried_again_and_no_socket_is_closed_for_it() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let faults = Faults::of(cloud, &talk.job.client).await;
    for (fault, times) in [("error_429", 2), ("error_500", 1), ("error_429", 8)] {
        faults.add(fault, times).await;
        talk.write(&talk.job.worker, fault).await;
        assert_eq!(text(&mut talk.client).await, fault);
        assert_eq!(faults.left().await, 0);
    }
    ping(&mut talk.client).await;
}

#[tokio::test]
async fn a_frame_whose_answer_is_lost_comes_twice_with_the_same_number_and_the_next_after_it() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let faults = Faults::of(cloud, &talk.job.client).await;
    faults.add("timeout_after_acting", 1).await;
    talk.write(&talk.job.worker, "one").await;
    talk.write(&talk.job.worker, "two").await;
    let mut numbers = Vec::new();
    while numbers.len() < 3 {
        let entry = message(&mut talk.client).await;
        numbers.push((entry["seq"].as_u64().unwrap(), entry["data"]["text"].clone()));
    }
    let first = numbers[0].0;
    assert_eq!(numbers, [(first, json!("one")), (first, json!("one")), (first + 1, json!("two"))]);
}

#[tokio::test]
async fn who_says_too_much_over_a_socket_is_told_so_and_the_socket_stays() {
    let cloud = cloud();
    // Twice as much and one: a minute ends at any time, and the next begins.
    for (message, limit) in [(json!({"action": "hello"}), 12), (json!({"action": "ping"}), 120)] {
        let user = client(cloud).await;
        let mut socket = Socket::connect(&user).await;
        let mut refused = 0;
        for _ in 0..2 * limit + 1 {
            socket.send(message.clone()).await;
            let answer = socket.next().await;
            match answer["type"].as_str().unwrap() {
                "welcome" | "pong" => {}
                _ => {
                    assert_eq!(answer["code"], "too_many_requests", "{answer:#}");
                    refused += 1;
                }
            }
        }
        assert!((1..=limit + 1).contains(&refused), "{refused} refused of {message}");
        if message["action"] == "hello" {
            ping(&mut socket).await;
        }
    }
}

#[tokio::test]
async fn a_socket_that_nobody_knows_any_more_is_closed_when_it_speaks() {
    let cloud = cloud();
    let user = client(cloud).await;
    let (mut socket, _) = Socket::hello(&user, json!({})).await;
    // As TTL does after two hours.
    let tables = cloud.dynamodb("ListTables", json!({})).await;
    let table = tables["TableNames"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t.as_str().unwrap().contains("Connections"));
    let found = json!({
        "TableName": table,
        "KeyConditionExpression": "pk = :user",
        "ExpressionAttributeValues": {":user": {"S": format!("USER#{}", user.id().await)}},
    });
    let listed = cloud.dynamodb("Query", found).await["Items"].clone();
    let id = listed[0]["sk"]["S"].as_str().unwrap();
    let key = json!({"pk": {"S": format!("CONN#{id}")}, "sk": {"S": "CONN"}});
    cloud.dynamodb("DeleteItem", json!({"TableName": table, "Key": key})).await;
    socket.send(json!({"action": "ping"})).await;
    socket.closed().await;
}

#[tokio::test]
async fn entries_that_are_no_longer_kept_are_named_over_http_and_over_the_socket() {
    let cloud = cloud();
    let job = Job::in_state(cloud, "delivered").await;
    let own = format!("user:{}", job.client.id().await);
    let path = format!("/live/feed?feed={own}");
    eventually("three entries", async || {
        (job.client.api.get(&path).await.expect(200)["last"] == 3).then_some(())
    })
    .await;
    let table = cloud.table().await;
    let first = json!({"pk": {"S": format!("ENTRIES#{own}")}, "sk": {"S": format!("{:020}", 1)}});
    cloud.dynamodb("DeleteItem", json!({"TableName": table, "Key": first})).await;
    let feed = job.client.api.get(&path).await.expect(200);
    assert_eq!((&feed["missed"], &feed["last"]), (&json!([{"from": 1, "to": 1}]), &json!(3)));
    assert_eq!(
        feed["items"].as_array().unwrap().iter().map(|e| e["seq"].clone()).collect::<Vec<_>>(),
        [2, 3]
    );
    let (mut socket, _) = Socket::hello(&job.client, json!({&own: 0})).await;
    let told = socket.next().await;
    assert_eq!(
        (&told["code"], &told["feed"], &told["oldest"]),
        (&json!("feed_number_too_old"), &json!(own), &json!(2))
    );
    assert_eq!([socket.next().await["seq"].clone(), socket.next().await["seq"].clone()], [2, 3]);
}

#[tokio::test]
async fn messages_arrive_in_their_order_and_go_on_when_the_order_is_completed() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let texts: Vec<_> = (0..15).map(|n| unique(&format!("{n} "))).collect();
    for text in &texts {
        talk.write(&talk.job.client, text).await;
    }
    for expected in &texts {
        assert_eq!(text(&mut talk.worker).await, expected.as_str());
    }
    talk.job.moves(&talk.job.worker, "deliver").await;
    talk.job.moves(&talk.job.client, "complete").await;
    talk.write(&talk.job.client, "the invoice?").await;
    assert_eq!(text(&mut talk.worker).await, "the invoice?");
}
