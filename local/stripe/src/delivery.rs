//! One delivery of a webhook: the signed request, and what is noted of it.

use http_body_util::{BodyExt, Full};
use serde::Serialize;

use super::objects::event::{Delivery, Event};
use super::transaction::Cause;
use super::{Stripe, api, now, signature};

/// What came of one delivery.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Outcome {
    /// The endpoint's status; none when it did not answer.
    pub(super) status: Option<u16>,
    /// What it answered, or why it did not.
    pub(super) body: String,
}

impl Outcome {
    /// Whether the endpoint took it.
    pub(super) fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Stripe {
    /// Posts an event once, whatever became of it before, and notes it as delivered when it is
    /// taken.
    pub(super) async fn deliver_once(&self, event: &str) -> Outcome {
        let Some(record) = self.store().events.get(event).cloned() else {
            return Outcome { status: None, body: format!("No such event: '{event}'") };
        };
        // As at Stripe, the body that announces itself counts itself as still pending.
        let body = api::pretty(&Event { delivery: Delivery::Pending, ..record.clone() }.to_json());
        let secrets = self.webhooks.state().switches.secrets.clone();
        let header = signature::header(&secrets, now(), body.as_bytes());
        let outcome = self.post(body, &header).await;
        let status =
            outcome.status.map_or_else(|| outcome.body.clone(), |status| status.to_string());
        self.log.line(
            record.request_id.as_deref(),
            &format!("webhook {event} {} {status}", record.kind),
        );
        if outcome.accepted() {
            self.mark(event, Delivery::Delivered);
        }
        outcome
    }

    /// Posts a body to the endpoint.
    pub(super) async fn post(&self, body: String, signature: &str) -> Outcome {
        let Some(url) = &self.options.webhook_url else {
            return Outcome { status: None, body: "there is no webhook endpoint".to_owned() };
        };
        let exchange = async {
            let request = http::Request::post(url)
                .header("content-type", "application/json; charset=utf-8")
                .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
                .header("accept", "*/*; q=0.5, application/xml")
                .header("cache-control", "no-cache")
                .header("stripe-signature", signature)
                .body(Full::from(body))?;
            let response = self.webhooks.client.request(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            anyhow::Ok(Outcome {
                status: Some(status),
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        match tokio::time::timeout(self.options.delivery_timeout, exchange).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome { status: None, body: format!("{error:#}") },
            Err(_) => Outcome { status: None, body: "timed out".to_owned() },
        }
    }

    /// Notes what became of an event.
    pub(super) fn mark(&self, event: &str, delivery: Delivery) {
        if delivery == Delivery::Delivered {
            self.webhooks.state().held.retain(|held| held != event);
        }
        let noted = self.change(Cause::default(), |transaction| {
            if let Some(record) =
                transaction.store.events.get(event).filter(|record| record.delivery != delivery)
            {
                let record = Event { delivery, ..record.clone() };
                transaction.put(record);
            }
        });
        if noted.is_err() {
            self.log.line(None, &format!("webhook {event}: its delivery could not be noted"));
        }
    }
}
