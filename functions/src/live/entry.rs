//! Turns a stream record into the entries for the feeds of everyone concerned.

use serde::Serialize;
use serde_json::{Value, json};
use shared::domain::feed::{EntryKind, Feed, Reader, notifications};
use shared::domain::ids::EntryId;
use shared::domain::order::Order;
use shared::error::{Error, Result};
use shared::store::{Broadcast, Entry, Message, NewEntry};

use crate::messages::MessageView;
use crate::orders::OrderView;

/// The entries for what happened to an order since version `before` (0 when it was just placed).
///
/// # Errors
/// `internal` when an entry can't be serialized.
pub(crate) fn of_order(order: &Order, before: u64) -> Result<Vec<(Feed, NewEntry)>> {
    let mut entries = Vec::new();
    for event in order.history.iter().filter(|event| event.n > before) {
        let then =
            order.at(event.n).ok_or_else(|| Error::internal("an order without its own event"))?;
        for notification in notifications(order, event) {
            // The same id each time the record arrives.
            let id = EntryId::derived(&[
                order.id.as_str(),
                &event.n.to_string(),
                notification.kind.as_str(),
            ]);
            let data = order_data(&then, notification.reader)?;
            entries.push((
                notification.feed,
                NewEntry { kind: notification.kind, id, at: event.at, data },
            ));
        }
    }
    Ok(entries)
}

/// The entry for the recipient of a message.
pub(crate) fn of_message(message: &Message) -> Result<(Feed, NewEntry)> {
    let (kind, id) = (EntryKind::MessageReceived, EntryId::derived(&[message.id.as_str()]));
    let data = to_json(&MessageView::from(message))?;
    Ok((Feed::User(message.to.clone()), NewEntry { kind, id, at: message.created_at, data }))
}

/// The entry for all users with the broadcast's role.
pub(crate) fn of_broadcast(broadcast: &Broadcast) -> (Feed, NewEntry) {
    let (kind, id) = (EntryKind::Broadcast, EntryId::derived(&[broadcast.id.as_str()]));
    let data = json!({"id": broadcast.id, "text": broadcast.text});
    (Feed::Role(broadcast.role), NewEntry { kind, id, at: broadcast.created_at, data })
}

/// The id of the order that an entry is about, or `None` for a broadcast.
pub(crate) fn order_id(entry: &Entry) -> Option<&str> {
    let member = match entry.kind {
        EntryKind::Broadcast => return None,
        EntryKind::MessageReceived => "order_id",
        _ => "id",
    };
    entry.data[member].as_str()
}

/// The order as of the event, in the shape of `GET /orders/{id}`, as this reader may see it.
///
/// Entries of the pool stay readable long after the order was claimed, also for workers who
/// register later, so they don't contain the client's note. While the order is open, `GET
/// /orders/{id}` shows the note. A worker who lost the order does not learn who has it now.
fn order_data(then: &Order, reader: Reader) -> Result<Value> {
    let actions = reader.actor_kind().map(|kind| then.actions_as(kind)).unwrap_or_default();
    let mut data = to_json(&OrderView::new(then, &actions))?;
    if !reader.sees_worker() {
        data["worker"] = Value::Null;
    }
    if reader == Reader::Pool {
        data["note"] = Value::Null;
    }
    Ok(data)
}

fn to_json(view: &impl Serialize) -> Result<Value> {
    serde_json::to_value(view).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::domain::ids::{ChargeId, OrderId, PaymentIntentId, ServiceId, UserId};
    use shared::domain::money::{Currency, Money, Price};
    use shared::domain::order::{ActorContext, PaymentFact, PaymentFactKind, Timers, Transition};
    use shared::domain::service::{NewService, Service};
    use shared::domain::text::{Category, Description, Name, Note};
    use shared::domain::user::{Caller, Role, Username};

    use super::*;

    fn caller(name: &str, role: Role) -> Caller {
        Caller {
            id: UserId::derived(&[name]),
            username: Username::parse(name).unwrap(),
            role,
            active: true,
        }
    }

    /// An order placed with a note, paid, accepted by one worker, released, and accepted by
    /// another.
    fn order() -> Order {
        let (now, timers) = (Timestamp::now(), Timers::default());
        let price = Money::new(1999, Currency::USD);
        let new = NewService {
            name: Name::parse("Logo").unwrap(),
            description: Description::parse("").unwrap(),
            category: Category::parse("Design").unwrap(),
            price: Price::parse(price).unwrap(),
        };
        let service = Service::new(ServiceId::derived(&["logo"]), new, now);
        let by = ActorContext::user(&caller("carol", Role::Client), now)
            .note(Some(Note::parse("Ring at 12 Elm Street.").unwrap()));
        let placed = Order::place(OrderId::derived(&["order"]), &service, by, &timers).unwrap();
        let kind = PaymentFactKind::Succeeded {
            charge: ChargeId::parse("ch_1").unwrap(),
            amount: price,
            fee: None,
        };
        let fact = PaymentFact { intent: PaymentIntentId::parse("pi_1").unwrap(), kind };
        let mut order = placed.apply_payment_fact(&fact, now, &timers).unwrap().unwrap();
        for (transition, worker) in [
            (Transition::Accept, "walter"),
            (Transition::Release, "walter"),
            (Transition::Accept, "wanda"),
        ] {
            order = order
                .transition(
                    transition,
                    ActorContext::user(&caller(worker, Role::Worker), now),
                    &timers,
                )
                .unwrap();
        }
        order
    }

    fn entries_of(feed: &Feed, kind: EntryKind) -> Vec<Value> {
        let all = of_order(&order(), 0).unwrap();
        all.into_iter()
            .filter(|(to, draft)| to == feed && draft.kind == kind)
            .map(|(_, draft)| draft.data)
            .collect()
    }

    #[test]
    fn the_pool_sees_an_order_without_its_note_and_the_client_sees_the_note() {
        let opened = entries_of(&Feed::AnyCategory, EntryKind::OrderOpened);
        assert_eq!(opened.len(), 2, "once when it was paid, once when it was released");
        for data in opened {
            assert_eq!((&data["note"], &data["worker"]), (&Value::Null, &Value::Null));
            assert_eq!((&data["status"], &data["actions"]), (&json!("open"), &json!(["accept"])));
        }
        let paid = entries_of(&Feed::User(UserId::derived(&["carol"])), EntryKind::PaymentPaid);
        assert_eq!(paid[0]["note"], "Ring at 12 Elm Street.");
    }

    #[test]
    fn a_worker_who_released_an_order_does_not_learn_who_has_it_now() {
        let released =
            entries_of(&Feed::User(UserId::derived(&["walter"])), EntryKind::OrderReleased);
        assert_eq!(
            released.iter().map(|data| (&data["worker"], &data["actions"])).collect::<Vec<_>>(),
            [(&Value::Null, &json!([]))]
        );
        let all = of_order(&order(), 0).unwrap();
        let walters = all.iter().filter(|(to, _)| *to == Feed::User(UserId::derived(&["walter"])));
        assert!(
            walters.clone().count() == 2
                && !walters.clone().any(|(_, d)| d.data.to_string().contains("wanda"))
        );
    }

    #[test]
    fn an_entry_shows_the_order_as_of_its_event_and_has_its_own_id() {
        let assigned =
            entries_of(&Feed::User(UserId::derived(&["carol"])), EntryKind::OrderAssigned);
        let workers: Vec<_> =
            assigned.iter().map(|data| data["worker"]["username"].as_str().unwrap()).collect();
        assert_eq!(workers, ["walter", "wanda"]);
        let all = of_order(&order(), 0).unwrap();
        let ids: std::collections::HashSet<_> =
            all.iter().map(|(feed, draft)| (feed, &draft.id)).collect();
        assert_eq!(ids.len(), all.len());
        assert_eq!(
            of_order(&order(), order().version - 1).unwrap().len(),
            2,
            "the last event notifies the client and the worker"
        );
    }
}
