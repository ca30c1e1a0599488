//! Users and services, new for each test so that tests do not see each other's data.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Client, Cloud, Response};

/// A signed-in user.
#[derive(Clone)]
pub struct User {
    pub username: String,
    pub password: String,
    pub access_token: String,
    pub refresh_token: String,
    pub api: Client,
}

/// Returns a name that starts with `prefix` and is unique across all test runs.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time")
        .as_micros();
    format!("{prefix}{}x{}", now % 1_000_000_000_000, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Registers a user with the role of a client. ([`Client`] is something else: the HTTP client.)
pub async fn new_client(cloud: &Cloud) -> User {
    register(cloud, json!({"role": "client"})).await
}

/// Registers a worker for these categories, or for all categories if the list is empty.
pub async fn new_worker(cloud: &Cloud, categories: &[&str]) -> User {
    register(cloud, json!({"role": "worker", "categories": categories})).await
}

/// Signs in as an administrator.
pub async fn admin(cloud: &Cloud) -> User {
    let (username, password) = cloud.admin();
    User::sign_in(cloud, username, password).await
}

/// Returns the administrator who creates services. Signs in at most once a minute for each cloud,
/// because hashing a password takes a while.
async fn service_admin(cloud: &Cloud) -> User {
    static KNOWN: Mutex<BTreeMap<String, (Instant, User)>> = Mutex::new(BTreeMap::new());
    let known = KNOWN
        .lock()
        .expect("no test panics while it holds the lock")
        .get(&cloud.ready.http)
        .cloned();
    match known {
        Some((since, admin)) if since.elapsed() < Duration::from_secs(60) => {
            User { api: admin.api.reconnected(), ..admin }
        }
        _ => {
            let admin = admin(cloud).await;
            let entry = (Instant::now(), admin.clone());
            KNOWN
                .lock()
                .expect("no test panics while it holds the lock")
                .insert(cloud.ready.http.clone(), entry);
            admin
        }
    }
}

async fn register(cloud: &Cloud, mut fields: Value) -> User {
    let username = unique("u");
    fields["username"] = json!(username);
    fields["email"] = json!(format!("{username}@example.com"));
    fields["password"] = json!("correct horse");
    cloud.client().post("/auth/register", fields).await.expect_status(201);
    User::sign_in(cloud, &username, "correct horse").await
}

impl User {
    /// Signs in, and checks that the access token works.
    pub async fn sign_in(cloud: &Cloud, username: &str, password: &str) -> Self {
        let api = cloud.client();
        let fields = [("grant_type", "password"), ("username", username), ("password", password)];
        let token = api.form("/auth/token", &fields).await.expect_status(200);
        let text = |name: &str| token[name].as_str().expect(name).to_owned();
        let (access_token, refresh_token) = (text("access_token"), text("refresh_token"));
        let api = api.bearer(&access_token);
        api.get("/auth/me").await.expect_status(200);
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            access_token,
            refresh_token,
            api,
        }
    }

    /// `GET /auth/me`.
    pub async fn me(&self) -> Value {
        self.api.get("/auth/me").await.expect_status(200)
    }

    /// Reads the user's id from `GET /auth/me`.
    pub async fn id(&self) -> String {
        self.me().await["id"].as_str().expect("an id").to_owned()
    }

    /// Sends this user's refresh token to the token endpoint. `self` keeps the old tokens.
    pub async fn refresh(&self, cloud: &Cloud) -> Response {
        refresh(cloud, &self.refresh_token).await
    }

    /// Sends an update of the user's own account that changes nothing. It succeeds if the API still
    /// lets this user write.
    pub async fn send_empty_update(&self) -> Response {
        self.api.patch("/auth/me", json!({})).await
    }
}

/// Sends a refresh token to the token endpoint.
pub async fn refresh(cloud: &Cloud, token: &str) -> Response {
    cloud
        .client()
        .form("/auth/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
        .await
}

/// Sends a username and a password to the token endpoint.
pub async fn sign_in(api: &Client, username: &str, password: &str) -> Response {
    api.form(
        "/auth/token",
        &[("grant_type", "password"), ("username", username), ("password", password)],
    )
    .await
}

/// Returns a price in US cents.
pub fn price(cents: i64) -> Value {
    json!({"amount": cents, "currency": "usd"})
}

/// Creates a service in this category at 19.99 US dollars.
pub async fn new_service(cloud: &Cloud, category: &str) -> Value {
    let body = json!({
        "name": unique("Service "), "description": "Created by a test.", "category": category,
        "price": price(1999),
    });
    service_admin(cloud).await.api.post("/services", body).await.expect_status(201)
}
