//! The users: as many clients as workers, an administrator, and a service in each category.

use std::sync::Arc;

use futures::{StreamExt, stream};
use serde_json::json;
use tokio::sync::Mutex;

use crate::support::{Client, Cloud, User, admin, new_client, new_service, new_worker, unique};

/// Sockets for each user, which is also the maximum.
const SOCKETS_PER_USER: usize = 10;
/// One in this many workers names no category, and therefore serves all.
const GENERALISTS: usize = 10;

pub struct Crowd {
    pub users: Vec<Arc<Person>>,
    /// Sockets of each user.
    pub sockets_per_user: usize,
    pub admin: Person,
    /// Each category with the id of a service in it.
    pub categories: Vec<(String, String)>,
}

pub struct Person {
    pub id: String,
    pub is_client: bool,
    /// The feeds that this user may read.
    pub feeds: Vec<String>,
    /// The index of the category, for a worker who names one.
    pub category: Option<usize>,
    user: Mutex<User>,
}

impl Person {
    pub async fn new(user: User, category: Option<(usize, &str)>) -> Self {
        let me = user.api.get("/auth/me").await.expect_status(200);
        let id = me["id"].as_str().unwrap().to_owned();
        let mut feeds = vec![format!("user:{id}")];
        match (me["role"].as_str().unwrap(), category) {
            ("worker", Some((_, name))) => {
                feeds.extend(["role:workers".into(), format!("workers:{}", name.to_lowercase())])
            }
            ("worker", None) => feeds.extend(["role:workers".into(), "workers:*".into()]),
            (role, _) => feeds.push(format!("role:{role}s")),
        }
        let is_client = me["role"] == "client";
        Self { id, is_client, feeds, category: category.map(|(n, _)| n), user: Mutex::new(user) }
    }

    /// Returns a client of the API, signed in as this user.
    pub async fn api(&self) -> Client {
        self.user.lock().await.api.clone()
    }

    /// Signs in again, because access tokens expire after a quarter of an hour.
    pub async fn renew(&self, cloud: &Cloud) {
        let mut user = self.user.lock().await;
        *user = User::sign_in(cloud, &user.username, &user.password).await;
    }
}

/// Registers as many users as this number of sockets needs.
pub async fn register(cloud: &Cloud, sockets: usize) -> Crowd {
    let sockets_per_user = SOCKETS_PER_USER.min(sockets / 2).max(1);
    let pairs = (sockets / sockets_per_user).div_ceil(2).max(1);
    let categories = pairs.div_ceil(10).max(2);
    let names: Vec<_> = (0..categories).map(|n| unique(&format!("category {n} "))).collect();
    let people = (0..pairs * 2).map(async |n| {
        let (pair, category) = (n / 2, (n / 2 + n / 2 / GENERALISTS) % categories);
        let category = (pair % GENERALISTS != 0).then(|| (category, names[category].as_str()));
        Arc::new(match (n % 2, category) {
            (0, _) => Person::new(new_client(cloud).await, None).await,
            (_, Some((_, name))) => Person::new(new_worker(cloud, &[name]).await, category).await,
            (_, None) => Person::new(new_worker(cloud, &[]).await, None).await,
        })
    });
    let users = stream::iter(people).buffered(4).collect().await;
    let mut services = Vec::new();
    for name in &names {
        services.push((
            name.clone(),
            new_service(cloud, name).await["id"].as_str().unwrap().to_owned(),
        ));
    }
    Crowd {
        users,
        sockets_per_user,
        admin: Person::new(admin(cloud).await, None).await,
        categories: services,
    }
}

impl Crowd {
    pub fn clients(&self) -> Vec<Arc<Person>> {
        self.users.iter().filter(|user| user.is_client).cloned().collect()
    }

    /// Returns the workers who serve this category.
    pub fn workers(&self, category: usize) -> Vec<Arc<Person>> {
        let serves = |user: &&Arc<Person>| {
            !user.is_client && user.category.is_none_or(|own| own == category)
        };
        self.users.iter().filter(serves).cloned().collect()
    }

    /// Sends a broadcast to a role, and returns its id.
    pub async fn broadcast(&self, cloud: &Cloud, role: &str) -> Option<String> {
        let body = json!({"role": role, "text": unique("Notice ")});
        let answer = self.admin.api().await.post("/live/broadcasts", body).await;
        if answer.status == 401 {
            self.admin.renew(cloud).await;
        }
        answer.body["id"].as_str().map(str::to_owned)
    }
}
