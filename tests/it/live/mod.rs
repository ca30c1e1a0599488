//! Tickets, sockets and feeds.

mod audience;
mod broadcast;
mod catch_up;
mod connect;
mod default;
mod disconnect;
mod fan_out;
mod feed;
mod notify;
mod ticket;

use serde_json::{Value, json};

use crate::support::{Client, Cloud, Socket, TestOrder, User, eventually};

/// Reads a feed over HTTP.
async fn feed(user: &User, feed: &str) -> Value {
    user.api.get(&format!("/live/feed?feed={feed}")).await.expect_status(200)
}

/// Injects faults into the pushes of one user's feed (`local/src/websocket/faults.rs`).
struct PushFaults {
    gateway: Client,
    feed: String,
}

impl PushFaults {
    async fn of(cloud: &Cloud, user: &User) -> Self {
        Self {
            gateway: Client::new(&cloud.ready.invoke),
            feed: format!("user:{}", user.id().await),
        }
    }

    async fn add(&self, fault: &str, times: u32) {
        let rule =
            json!({"fault": fault, "method": "POST", "containing": self.entry(), "times": times});
        self.gateway.post("/_local/faults", rule).await.expect_status(201);
    }

    /// Returns how many faults are pending.
    async fn remaining(&self) -> u64 {
        let faults = self.gateway.get("/_local/faults").await.expect_status(200);
        let own =
            faults.as_array().unwrap().iter().filter(|fault| fault["containing"] == self.entry());
        own.map(|fault| fault["times"].as_u64().unwrap()).sum()
    }

    async fn clear(&self) {
        let path = format!("/_local/faults?containing={}", Client::percent_encode(&self.entry()));
        self.gateway.delete(&path).await.expect_status(200);
    }

    /// Returns a text that is in all entries of this feed but in no welcome.
    fn entry(&self) -> String {
        format!("\"feed\":\"{}\"", self.feed)
    }
}

/// A client and a worker who are connected and exchange messages about an order.
struct Conversation {
    order: TestOrder,
    client: Socket,
    worker: Socket,
}

impl Conversation {
    async fn new(cloud: &Cloud) -> Self {
        let order = TestOrder::in_status(cloud, "assigned").await;
        // Waits until the feeds have the order's entries, so that only messages follow the hello.
        for user in [&order.client, &order.worker] {
            let path = format!("/live/feed?feed=user:{}", user.id().await);
            eventually("the feed has the order", async || {
                let items = user.api.get(&path).await.expect_status(200)["items"].clone();
                items
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|entry| entry["type"] == "order.assigned")
                    .then_some(())
            })
            .await;
        }
        let (client, _) = Socket::connect_and_hello(&order.client, json!({})).await;
        let (worker, _) = Socket::connect_and_hello(&order.worker, json!({})).await;
        Self { order, client, worker }
    }

    async fn write(&self, from: &User, text: &str) {
        from.api.post(&self.order.path("messages"), json!({"text": text})).await.expect_status(201);
    }
}

/// Waits for the next message at a socket. Skips all other entries.
async fn message(socket: &mut Socket) -> Value {
    loop {
        let entry = socket.next().await;
        if entry["type"] == "message.received" {
            return entry;
        }
    }
}

/// Waits for the next message at a socket, and returns its text.
async fn text(socket: &mut Socket) -> Value {
    message(socket).await["data"]["text"].clone()
}
