//! The people: as many clients as workers, a service for each trade, an administrator.

use std::sync::Arc;

use futures::{StreamExt, stream};
use serde_json::json;
use tokio::sync::Mutex;

use crate::support::{Client, Cloud, User, admin, client, service, unique, worker};

/// The sockets of a user: as many as one may have.
const EACH: usize = 10;
/// One worker in this many names no category, and so serves all.
const ANY: usize = 10;

pub struct Crowd {
    pub users: Vec<Arc<Person>>,
    /// Sockets of each.
    pub each: usize,
    pub admin: Person,
    /// Each with the id of a service in it.
    pub trades: Vec<(String, String)>,
}

pub struct Person {
    pub id: String,
    pub is_client: bool,
    /// The feeds that are this user's to read.
    pub feeds: Vec<String>,
    /// The trade of a worker who has one.
    pub trade: Option<usize>,
    user: Mutex<User>,
}

impl Person {
    pub async fn new(user: User, trade: Option<(usize, &str)>) -> Self {
        let me = user.api.get("/auth/me").await.expect(200);
        let id = me["id"].as_str().unwrap().to_owned();
        let mut feeds = vec![format!("user:{id}")];
        match (me["role"].as_str().unwrap(), trade) {
            ("worker", Some((_, name))) => {
                feeds.extend(["role:workers".into(), format!("workers:{}", name.to_lowercase())])
            }
            ("worker", None) => feeds.extend(["role:workers".into(), "workers:*".into()]),
            (role, _) => feeds.push(format!("role:{role}s")),
        }
        let is_client = me["role"] == "client";
        Self { id, is_client, feeds, trade: trade.map(|(n, _)| n), user: Mutex::new(user) }
    }

    /// Talks to the API as this user.
    pub async fn api(&self) -> Client {
        self.user.lock().await.api.clone()
    }

    /// Signs in again: access tokens last a quarter of an hour.
    pub async fn renew(&self, cloud: &Cloud) {
        let mut user = self.user.lock().await;
        *user = User::sign_in(cloud, &user.username, &user.password).await;
    }
}

/// Registers as many as these sockets need.
pub async fn register(cloud: &Cloud, sockets: usize) -> Crowd {
    let each = EACH.min(sockets / 2).max(1);
    let pairs = (sockets / each).div_ceil(2).max(1);
    let trades = pairs.div_ceil(10).max(2);
    let names: Vec<_> = (0..trades).map(|n| unique(&format!("trade {n} "))).collect();
    let people = (0..pairs * 2).map(async |n| {
        let (pair, trade) = (n / 2, (n / 2 + n / 2 / ANY) % trades);
        let trade = (pair % ANY != 0).then(|| (trade, names[trade].as_str()));
        Arc::new(match (n % 2, trade) {
            (0, _) => Person::new(client(cloud).await, None).await,
            (_, Some((_, name))) => Person::new(worker(cloud, &[name]).await, trade).await,
            (_, None) => Person::new(worker(cloud, &[]).await, None).await,
        })
    });
    let users = stream::iter(people).buffered(4).collect().await;
    let mut services = Vec::new();
    for name in &names {
        services
            .push((name.clone(), service(cloud, name).await["id"].as_str().unwrap().to_owned()));
    }
    Crowd { users, each, admin: Person::new(admin(cloud).await, None).await, trades: services }
}

impl Crowd {
    pub fn clients(&self) -> Vec<Arc<Person>> {
        self.users.iter().filter(|user| user.is_client).cloned().collect()
    }

    /// Those who may be told of an order of this trade.
    pub fn workers(&self, trade: usize) -> Vec<Arc<Person>> {
        let serves =
            |user: &&Arc<Person>| !user.is_client && user.trade.is_none_or(|own| own == trade);
        self.users.iter().filter(serves).cloned().collect()
    }

    /// Everyone of a role hears this.
    pub async fn broadcast(&self, cloud: &Cloud, role: &str) -> Option<String> {
        let body = json!({"role": role, "text": unique("Hear, hear! ")});
        let answer = self.admin.api().await.post("/live/broadcasts", body).await;
        if answer.status == 401 {
            self.admin.renew(cloud).await;
        }
        answer.body["id"].as_str().map(str::to_owned)
    }
}
