//! Functions that another program runs: `--functions URL` is the address of its Lambda Invoke API.
//!
//! The flag is meant for `cargo lambda watch` (1.9), whose responses differ from Lambda's. If a
//! function fails, `watch` responds with a 500 and the error object, without
//! `X-Amz-Function-Error`. Errors of `watch` itself are a 500 as well, but with a problem document
//! (`{"type", "status", "title"}`). It responds with a 404 if the function is not a binary of the
//! project, and with a 408 after its own `--timeout`. It compiles a function at its first
//! invocation, so a reply may take minutes; the function's `Timeout` is therefore not enforced
//! here.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::settings::MAX_PAYLOAD;
use crate::invoke::{FunctionError, Invocation, Invoke, InvokeError};

/// The longest wait for a reply, equal to Lambda's longest `Timeout`. `cargo lambda watch` never
/// answers for a function that died.
const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// An external Invoke API.
#[derive(Debug, Clone)]
pub struct RemoteFunctions {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl RemoteFunctions {
    /// Uses the API at `url`, such as `http://localhost:9000`.
    ///
    /// # Errors
    /// When `url` is not an `http://` URL, or has a query.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("{url} is not a URL"))?;
        ensure!(
            uri.scheme_str() == Some("http") && uri.query().is_none(),
            "{url} is not of the form http://host:port"
        );
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { base: url.trim_end_matches('/').to_owned(), client })
    }

    async fn call(&self, function: &str, payload: Bytes) -> Result<Invocation, InvokeError> {
        let request =
            Request::post(format!("{}/2015-03-31/functions/{function}/invocations", self.base))
                .header("content-type", "application/json")
                .body(Full::new(payload))
                .map_err(|e| {
                    InvokeError::NotFound(format!("{function} is not a valid function name: {e}"))
                })?;
        let unavailable = |e: &dyn std::fmt::Display| {
            InvokeError::Unavailable(format!(
                "{function} was not invoked, because {} does not answer: {e}",
                self.base
            ))
        };
        let response = self.client.request(request).await.map_err(|e| unavailable(&e))?;
        let (head, body) = response.into_parts();
        let failed = head.headers.contains_key("x-amz-function-error");
        let body = Limited::new(body, MAX_PAYLOAD).collect().await.map_err(|e| unavailable(&e))?;
        interpret(head.status, failed, body.to_bytes())
    }
}

impl Invoke for RemoteFunctions {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        async move {
            let answer = tokio::time::timeout(MAX_WAIT, self.call(function, payload)).await;
            answer.unwrap_or_else(|_| {
                let minutes = MAX_WAIT.as_secs() / 60;
                Err(InvokeError::Unavailable(format!(
                    "{function} at {} did not answer within {minutes} min",
                    self.base
                )))
            })
        }
        .boxed()
    }
}

/// Interprets a response. `failed` says whether it has `X-Amz-Function-Error`.
fn interpret(status: StatusCode, failed: bool, body: Bytes) -> Result<Invocation, InvokeError> {
    let text = || format!("{status}: {}", String::from_utf8_lossy(&body));
    match status {
        StatusCode::OK => {
            let error = failed.then_some(FunctionError::Unhandled);
            Ok(Invocation { payload: body, error })
        }
        StatusCode::INTERNAL_SERVER_ERROR if is_error_object(&body) => {
            Ok(Invocation { payload: body, error: Some(FunctionError::Unhandled) })
        }
        StatusCode::NOT_FOUND => Err(InvokeError::NotFound(text())),
        StatusCode::TOO_MANY_REQUESTS => Err(InvokeError::Throttled(text())),
        StatusCode::PAYLOAD_TOO_LARGE => Err(InvokeError::TooLarge(text())),
        _ => Err(InvokeError::Unavailable(text())),
    }
}

/// Whether `body` is an error object of the Lambda runtime.
fn is_error_object(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|error| error["errorType"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_of_lambda_and_of_watch_are_interpreted() {
        let function_error = Bytes::from_static(br#"{"errorType":"Error","errorMessage":"no"}"#);
        let interpret_500 = |body| interpret(StatusCode::INTERNAL_SERVER_ERROR, false, body);
        assert_eq!(
            interpret_500(function_error.clone()).unwrap().error,
            Some(FunctionError::Unhandled)
        );
        let watch_error =
            Bytes::from_static(br#"{"type":"https://httpstatuses.com/500","status":500}"#);
        assert!(matches!(interpret_500(watch_error), Err(InvokeError::Unavailable(_))));
        assert_eq!(
            interpret(StatusCode::OK, true, function_error).unwrap().error,
            Some(FunctionError::Unhandled)
        );
        assert_eq!(
            interpret(StatusCode::OK, false, Bytes::from_static(b"{}")).unwrap().error,
            None
        );
        assert!(matches!(
            interpret(StatusCode::NOT_FOUND, false, Bytes::new()),
            Err(InvokeError::NotFound(_))
        ));
        assert!(matches!(
            interpret(StatusCode::REQUEST_TIMEOUT, false, Bytes::new()),
            Err(InvokeError::Unavailable(_))
        ));
    }

    #[test]
    fn only_plain_http_urls_are_accepted() {
        assert!(RemoteFunctions::new("http://localhost:9000/").is_ok());
        for url in [
            "https://lambda.eu-central-1.amazonaws.com",
            "localhost:9000",
            "http://localhost:9000/?a=b",
        ] {
            assert!(RemoteFunctions::new(url).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn the_error_for_an_unreachable_address_names_the_address() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let remote = RemoteFunctions::new(&format!("http://{free}")).unwrap();
        match remote.invoke("orders-create", Bytes::from_static(b"{}")).await {
            Err(InvokeError::Unavailable(text)) => {
                assert!(text.contains(&free.to_string()), "{text}")
            }
            other => panic!("{other:?}"),
        }
    }
}
