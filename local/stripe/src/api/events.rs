//! `/v1/events`: <https://docs.stripe.com/api/events>.

use serde_json::Value;

use super::call::Call;
use super::page::Page;
use crate::error::Error;
use crate::objects::event::{DeliveryStatus, Event};
use crate::transaction::Transaction;

/// `GET /v1/events/{id}`
///
/// # Errors
/// 400 for an unknown parameter, 404 when the event does not exist.
pub(super) fn retrieve(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    call.finish_params()?;
    let event = transaction.store.events.get(&call.id);
    Ok(event.ok_or_else(|| Error::missing("event", &call.id))?.to_json())
}

/// `GET /v1/events`
///
/// # Errors
/// 400 for invalid or unknown parameters.
pub(super) fn list(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    let delivered = call.params.boolean("delivery_success")?;
    let mut types = call.params.list("types")?;
    if let Some(only) = call.params.text("type")? {
        if types.is_some() {
            let message = "You may only specify one of these parameters: type, types.";
            return Err(Error::parameter("type", message));
        }
        types = Some(vec![only]);
    }
    call.finish_params()?;
    let filter = |event: &Event| {
        let is_delivered = event.delivery == DeliveryStatus::Delivered;
        types.as_ref().is_none_or(|types| types.iter().any(|kind| matches(kind, &event.kind)))
            && delivered.is_none_or(|delivered| delivered == is_delivered)
    };
    page.of(&transaction.store.events, "/v1/events", filter, Event::to_json)
}

/// Returns whether an event type matches a pattern. `charge.*` matches every type that begins with
/// `charge.`.
fn matches(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => pattern == kind,
    }
}
