//! The stand-in over real HTTP: with the real async-stripe client, with a raw one, and with an
//! endpoint that takes its webhooks.

mod authentication;
mod endpoint;
mod errors;
mod faults;
mod idempotency;
mod lists;
mod payments;
mod persistence;
mod refunds;
mod reordering;
mod shapes;
mod webhooks;

use std::time::Duration;

use axum::http::HeaderMap;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::endpoint::Endpoint;
use super::{Log, Options, start};

/// Any key of this form is accepted.
const SECRET_KEY: &str = "sk_test_local";
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running stand-in with its endpoint.
struct Sandbox {
    url: String,
    endpoint: Endpoint,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// One answer.
struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The id of the object.
    fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).to_owned()
    }

    /// `(status, error.code)`
    fn error(&self) -> (u16, &str) {
        (self.status, self.json["error"]["code"].as_str().unwrap_or_default())
    }
}

impl Sandbox {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts with quick clocks, and whatever else `adjust` sets.
    async fn with(adjust: impl FnOnce(&mut Options)) -> Self {
        Self::before(Endpoint::start().await, adjust).await
    }

    /// Starts before an endpoint that is there already.
    async fn before(endpoint: Endpoint, adjust: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(Some(endpoint.url.clone()), endpoint::SECRET, None);
        options.retry_first = Duration::from_millis(20);
        options.settlement = Duration::from_millis(50);
        options.slow_payment = Duration::from_millis(400);
        options.reorder_window = Duration::from_millis(200);
        adjust(&mut options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let running = start(listener, options, Log::stderr(), stop.clone()).await.unwrap();
        Self { url, endpoint, stop, running }
    }

    /// Stops, and gives the endpoint back.
    async fn stop(self) -> Endpoint {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.running).await.expect("the stand-in stops").unwrap();
        self.endpoint
    }

    fn stripe(&self) -> ::stripe::Client {
        ::stripe::ClientBuilder::new(SECRET_KEY).url(format!("{}/", self.url)).build().unwrap()
    }

    /// Sends a request as it is; fails when the connection does.
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Reply, String> {
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        let response = client
            .request(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap())
            .await
            .map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, text, json })
    }

    /// A call of the API with the secret key.
    async fn call(&self, method: &str, path: &str, form: &str) -> Reply {
        self.call_with(method, path, &[], form).await
    }

    /// The same, with an idempotency key.
    async fn keyed(&self, key: &str, path: &str, form: &str) -> Reply {
        self.call_with("POST", path, &[("idempotency-key", key)], form).await
    }

    async fn call_with(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        form: &str,
    ) -> Reply {
        let authorization = format!("Bearer {SECRET_KEY}");
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        headers.extend_from_slice(more);
        self.send(method, path, &headers, form).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, "").await
    }

    async fn post(&self, path: &str, form: &str) -> Reply {
        self.call("POST", path, form).await
    }

    /// A call of the control API.
    async fn control(&self, path: &str, body: Value) -> Value {
        let reply = self
            .send(
                "POST",
                &format!("/_local/{path}"),
                &[("content-type", "application/json")],
                &body.to_string(),
            )
            .await
            .unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json
    }

    /// An intent of 20.00 USD that waits for a payment method.
    async fn intent(&self) -> Reply {
        let reply = self.post("/v1/payment_intents", "amount=2000&currency=usd").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply
    }

    /// Makes and confirms an intent with the test payment method.
    async fn pay(&self, method: &str) -> Reply {
        let id = self.intent().await.id();
        self.post(&format!("/v1/payment_intents/{id}/confirm"), &format!("payment_method={method}"))
            .await
    }

    /// Waits until the object at `path` has this status.
    async fn until_status(&self, path: &str, status: &str) -> Value {
        tokio::time::timeout(PATIENCE, async {
            loop {
                let object = self.get(path).await.json;
                if object["status"] == status {
                    return object;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{path} does not become {status}"))
    }

    /// The kinds of all events so far, oldest first, as the API lists them.
    async fn events(&self) -> Vec<String> {
        let list = self.get("/v1/events?limit=100").await.json;
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Holds every webhook back.
    async fn hold(&self) {
        self.control("webhooks", json!({ "mode": "hold" })).await;
    }
}
