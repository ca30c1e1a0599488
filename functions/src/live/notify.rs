//! `live-notify`: the stream function that tells people. What happened to an order is appended to the feeds of those concerned; what was appended
//! is pushed to their sockets, as a second record of the same stream. So a crash between the two loses nothing, and a feed's pushes keep its
//! order.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use serde_json::Value;
use shared::domain::feed::{Feed, Notice, notices};
use shared::domain::ids::EntryId;
use shared::domain::order::{Event, Order};
use shared::error::{Error, Result};
use shared::live::Live;
use shared::store::{Draft, Entity as _, Entry, from_image};

use crate::events::{Failure, sequence};
use crate::orders::OrderView;

/// Handles a batch: first all appends, in order, then all pushes, each feed's in order.
///
/// # Errors
/// Names the first record that was not handled.
pub async fn handle(context: &Live, records: Vec<EventRecord>) -> std::result::Result<(), Failure> {
    let mut failed = None;
    let mut entries = Vec::new();
    let mut places: BTreeMap<Feed, Option<String>> = BTreeMap::new();
    for record in records {
        let at = sequence(&record);
        match told(context, record).await {
            Ok(None) => {}
            Ok(Some(entry)) => {
                places.entry(entry.feed.clone()).or_insert(at);
                entries.push(entry);
            }
            Err(error) => {
                failed = Some(Failure { at, error });
                break;
            }
        }
    }
    let undelivered = context.deliver(entries).await;
    let undelivered =
        undelivered.into_iter().map(|(feed, error)| Failure { at: places.remove(&feed).flatten(), error });
    // Sequence numbers are of one length. One that is not known counts as the whole batch.
    match undelivered.chain(failed).min_by(|a, b| a.at.cmp(&b.at)) {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

/// Appends what an order's record tells; gives back the entry that an entry's record holds.
async fn told(context: &Live, record: EventRecord) -> Result<Option<Entry>> {
    let kind = record.change.new_image.get("entity");
    let is = |entity: &str| matches!(kind, Some(serde_dynamo::AttributeValue::S(kind)) if kind == entity);
    if is(Entry::ENTITY) && record.event_name == "INSERT" {
        return from_image(record.change.new_image).map(Some);
    }
    if is(Order::ENTITY) {
        let before = match record.change.old_image.is_empty() {
            true => 0,
            false => from_image::<Order>(record.change.old_image)?.version,
        };
        let order: Order = from_image(record.change.new_image)?;
        for event in order.history.iter().filter(|event| event.n > before) {
            append(context, &order, event).await?;
        }
    }
    // Deletions, by TTL for instance, tell nobody anything.
    Ok(None)
}

async fn append(context: &Live, order: &Order, event: &Event) -> Result<()> {
    let Some(then) = order.at(event.n) else { return Err(Error::internal("an order without its own event")) };
    for notice in notices(order, event) {
        let draft = Draft {
            kind: notice.kind,
            // The same whenever the record comes again.
            id: EntryId::derived(&[order.id.as_str(), &event.n.to_string(), notice.kind.as_str()]),
            at: event.at,
            data: data(&then, &notice)?,
        };
        context.store.append(&notice.feed, &[draft]).await?;
    }
    Ok(())
}

/// The order as of the event, as this reader may see it.
fn data(then: &Order, notice: &Notice) -> Result<Value> {
    let actions = notice.reader.standing().map(|standing| then.actions_as(standing)).unwrap_or_default();
    let mut data = serde_json::to_value(OrderView::new(then, &actions)).map_err(Error::internal)?;
    if !notice.reader.sees_worker() {
        data["worker"] = Value::Null;
    }
    Ok(data)
}
