//! Tests of the stand-in over HTTP, with the async-stripe client, a plain HTTP client, and an
//! endpoint that receives webhooks.

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
use crate::{Log, Options, SECRET_KEY, start};

/// How long a test waits for something that must happen.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A running stand-in with its webhook endpoint.
struct Sandbox {
    url: String,
    endpoint: Endpoint,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// A response.
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

    /// Returns the id of the object.
    fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).to_owned()
    }

    /// Returns `(status, error.code)`.
    fn error(&self) -> (u16, &str) {
        (self.status, self.json["error"]["code"].as_str().unwrap_or_default())
    }
}

impl Sandbox {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts with short delays, and with the options that `adjust` changes.
    async fn with(adjust: impl FnOnce(&mut Options)) -> Self {
        Self::with_endpoint(Endpoint::start().await, adjust).await
    }

    /// Starts with an existing endpoint.
    async fn with_endpoint(endpoint: Endpoint, adjust: impl FnOnce(&mut Options)) -> Self {
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

    /// Stops the stand-in, and returns the endpoint.
    async fn stop(self) -> Endpoint {
        self.stop.cancel();
        tokio::time::timeout(TIMEOUT, self.running).await.expect("the stand-in stops").unwrap();
        self.endpoint
    }

    /// Returns the real client.
    fn client(&self) -> ::stripe::Client {
        ::stripe::ClientBuilder::new(SECRET_KEY).url(format!("{}/", self.url)).build().unwrap()
    }

    /// Sends a request without adding headers. Returns an error if the connection fails.
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

    /// Calls the API with the secret key.
    async fn call(&self, method: &str, path: &str, form: &str) -> Reply {
        self.call_with(method, path, &[], form).await
    }

    /// Posts to the API with an idempotency key.
    async fn keyed(&self, key: &str, path: &str, form: &str) -> Reply {
        self.call_with("POST", path, &[("idempotency-key", key)], form).await
    }

    async fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        form: &str,
    ) -> Reply {
        let authorization = format!("Bearer {SECRET_KEY}");
        let mut all = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        all.extend_from_slice(headers);
        self.send(method, path, &all, form).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, "").await
    }

    async fn post(&self, path: &str, form: &str) -> Reply {
        self.call("POST", path, form).await
    }

    /// Calls the control API.
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

    /// Creates an intent of 20.00 USD.
    async fn intent(&self) -> Reply {
        let reply = self.post("/v1/payment_intents", "amount=2000&currency=usd").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply
    }

    /// Creates an intent of 20.00 USD and confirms it with the payment method.
    async fn pay(&self, method: &str) -> Reply {
        let id = self.intent().await.id();
        self.post(&format!("/v1/payment_intents/{id}/confirm"), &format!("payment_method={method}"))
            .await
    }

    /// Waits until the object at `path` has this status.
    async fn until_status(&self, path: &str, status: &str) -> Value {
        tokio::time::timeout(TIMEOUT, async {
            loop {
                let object = self.get(path).await.json;
                if object["status"] == status {
                    return object;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{path} did not become {status}"))
    }

    /// Returns the types of all events so far, oldest first.
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

    /// Holds every webhook until it is released.
    async fn hold(&self) {
        self.control("webhooks", json!({ "mode": "hold" })).await;
    }
}
