//! People who are new to the marketplace, so that no two tests meet.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Answer, Client, Cloud};

/// Someone signed in.
#[derive(Clone)]
pub struct User {
    pub username: String,
    pub password: String,
    pub access_token: String,
    pub refresh_token: String,
    pub api: Client,
}

/// A name that nothing else has, in this run or another.
pub fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time")
        .as_micros();
    format!("{what}{}x{}", now % 1_000_000_000_000, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A new client.
pub async fn client(cloud: &Cloud) -> User {
    register(cloud, json!({"role": "client"})).await
}

/// A new worker of these categories; of all when none is named.
pub async fn worker(cloud: &Cloud, categories: &[&str]) -> User {
    register(cloud, json!({"role": "worker", "categories": categories})).await
}

/// The sample administrator.
pub async fn admin(cloud: &Cloud) -> User {
    User::sign_in(cloud, "admin", "admin123").await
}

/// The administrator who makes services for tests: signed in once per cloud and minute, because
/// that takes a while.
async fn shop_keeper(cloud: &Cloud) -> User {
    static KNOWN: Mutex<BTreeMap<String, (Instant, User)>> = Mutex::new(BTreeMap::new());
    let known = KNOWN.lock().expect("no test fails in here").get(&cloud.ready.http).cloned();
    match known {
        Some((since, keeper)) if since.elapsed() < Duration::from_secs(60) => {
            User { api: keeper.api.reconnected(), ..keeper }
        }
        _ => {
            let keeper = admin(cloud).await;
            let entry = (Instant::now(), keeper.clone());
            KNOWN.lock().expect("no test fails in here").insert(cloud.ready.http.clone(), entry);
            keeper
        }
    }
}

async fn register(cloud: &Cloud, mut fields: Value) -> User {
    let username = unique("u");
    fields["username"] = json!(username);
    fields["email"] = json!(format!("{username}@example.com"));
    fields["password"] = json!("correct horse");
    cloud.client().post("/auth/register", fields).await.expect(201);
    User::sign_in(cloud, &username, "correct horse").await
}

impl User {
    pub async fn sign_in(cloud: &Cloud, username: &str, password: &str) -> Self {
        let api = cloud.client();
        let fields = [("grant_type", "password"), ("username", username), ("password", password)];
        let token = api.form("/auth/token", &fields).await.expect(200);
        let text = |name: &str| token[name].as_str().expect(name).to_owned();
        let (access_token, refresh_token) = (text("access_token"), text("refresh_token"));
        let api = api.bearer(&access_token);
        api.get("/auth/me").await.expect(200);
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            access_token,
            refresh_token,
            api,
        }
    }

    /// The user, as the API shows it.
    pub async fn me(&self) -> Value {
        self.api.get("/auth/me").await.expect(200)
    }

    pub async fn id(&self) -> String {
        self.me().await["id"].as_str().expect("an id").to_owned()
    }

    /// Goes on with the sign-in: the answer of the token endpoint.
    pub async fn refresh(&self, cloud: &Cloud) -> Answer {
        refresh(cloud, &self.refresh_token).await
    }

    /// The smallest write that anyone may do.
    pub async fn write(&self) -> Answer {
        self.api.patch("/auth/me", json!({})).await
    }
}

/// What the token endpoint says to a refresh token.
pub async fn refresh(cloud: &Cloud, token: &str) -> Answer {
    cloud
        .client()
        .form("/auth/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
        .await
}

/// What the token endpoint says to a name and a password.
pub async fn sign_in(api: &Client, username: &str, password: &str) -> Answer {
    api.form(
        "/auth/token",
        &[("grant_type", "password"), ("username", username), ("password", password)],
    )
    .await
}

/// A price in US cents.
pub fn price(cents: i64) -> Value {
    json!({"amount": cents, "currency": "usd"})
}

/// A new service of this category at 19.99 dollars.
pub async fn service(cloud: &Cloud, category: &str) -> Value {
    let body = json!({"name": unique("Service "), "description": "Made for a test.", "category": category, "price": price(1999)});
    shop_keeper(cloud).await.api.post("/services", body).await.expect(201)
}
