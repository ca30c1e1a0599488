//! Delivers one webhook: sends the signed request, and records the result in the store and the log.

use http_body_util::{BodyExt, Full};
use serde::Serialize;

use crate::clock::now;
use crate::json::pretty;
use crate::objects::event::{DeliveryStatus, Event};
use crate::signature;
use crate::stripe::Stripe;
use crate::transaction::Cause;

/// The endpoint's response to a webhook.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WebhookResponse {
    /// The HTTP status, or `None` if the endpoint did not respond.
    pub(crate) status: Option<u16>,
    /// The body, or the reason why there is no response.
    pub(crate) body: String,
}

impl WebhookResponse {
    fn none(reason: impl Into<String>) -> Self {
        Self { status: None, body: reason.into() }
    }

    /// Returns whether the endpoint accepted the webhook.
    pub(crate) fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Stripe {
    /// Posts an event once, even if it was delivered before. Marks it as delivered if the endpoint
    /// accepts it.
    pub(crate) async fn deliver_once(&self, id: &str) -> WebhookResponse {
        let Some(event) = self.store().events.get(id).cloned() else {
            return WebhookResponse::none(format!("No such event: '{id}'"));
        };
        // As at Stripe, `pending_webhooks` includes the delivery in progress.
        let pending = Event { delivery: DeliveryStatus::Pending, ..event.clone() };
        let body = pretty(&pending.to_json());
        let secrets = self.outbox.lock().settings.secrets.clone();
        let header = signature::header(&secrets, now(), body.as_bytes());
        let response = self.post(body, &header).await;
        let result =
            response.status.map_or_else(|| response.body.clone(), |status| status.to_string());
        let line = format!("webhook {id} {} {result}", event.kind);
        self.log.line(event.request_id.as_deref(), &line);
        if response.accepted() {
            self.mark(id, DeliveryStatus::Delivered);
        }
        response
    }

    /// Posts a body to the webhook endpoint.
    pub(crate) async fn post(&self, body: String, signature: &str) -> WebhookResponse {
        let Some(url) = &self.options.webhook_url else {
            return WebhookResponse::none("there is no webhook endpoint");
        };
        let exchange = async {
            let request = http::Request::post(url)
                .header("content-type", "application/json; charset=utf-8")
                .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
                .header("accept", "*/*; q=0.5, application/xml")
                .header("cache-control", "no-cache")
                .header("stripe-signature", signature)
                .body(Full::from(body))?;
            let response = self.client.request(request).await?;
            let status = Some(response.status().as_u16());
            let body = response.into_body().collect().await?.to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            anyhow::Ok(WebhookResponse { status, body })
        };
        match tokio::time::timeout(self.options.delivery_timeout, exchange).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => WebhookResponse::none(format!("{error:#}")),
            Err(_) => WebhookResponse::none("timed out"),
        }
    }

    /// Sets the delivery status of an event.
    pub(crate) fn mark(&self, id: &str, delivery: DeliveryStatus) {
        if delivery == DeliveryStatus::Delivered {
            self.outbox.lock().held.retain(|held| held != id);
        }
        let stored = self.change(Cause::default(), |transaction| {
            if let Some(event) = transaction.store.events.get(id)
                && event.delivery != delivery
            {
                let event = Event { delivery, ..event.clone() };
                transaction.put(event);
            }
        });
        if stored.is_err() {
            self.log.line(None, &format!("webhook {id}: its delivery status was not stored"));
        }
    }
}
