//! Tickets, sockets and feeds.

mod audience;
mod broadcast;
mod catch_up;
mod connect;
mod default;
mod fan_out;
mod feed;
mod notify;
mod ticket;

use serde_json::{Value, json};

use crate::support::{Client, Cloud, Job, Socket, User, eventually};

/// All entries of a feed, as HTTP gives them.
async fn feed(user: &User, feed: &str) -> Value {
    user.api.get(&format!("/live/feed?feed={feed}")).await.expect(200)
}

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
