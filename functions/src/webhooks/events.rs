//! `GET /webhooks/stripe/events`: lists the events received from Stripe and what was done about
//! them, for administrators. `?state=mismatch` shows money that may belong to no order.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::schema::DateTime;
use shared::error::Result;
use shared::store::{EventOutcome, StripeEvent};

use crate::http::page::{Cursor, Limit};
use crate::http::{
    Endpoint, FieldErrors, FieldValue, Reply, Request, Who, body, one_of, page, text,
};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Listing;

const ENDPOINT: Endpoint = Endpoint::get("/webhooks/stripe/events", Who::Admin);

/// Returns one page of events in one state, newest first.
///
/// # Errors
/// 403 unless the caller is an administrator; 422 without a state; 400 for a cursor of another
/// list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { state: EventState(state), limit, cursor } = request.query_as()?;
    let page = page::page_request(limit, cursor);
    let listed = context.store.stripe_events(state, &page, &context.cursors).await?;
    page::reply(&request, listed.items.iter().map(EventView::from).collect(), listed.next_cursor)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List events from Stripe")
        .details(
            "Newest first. `?state=mismatch` shows the events that contradict their order, such as \
             a payment of a wrong amount.",
        )
        .query::<Query>()
        .answer(Answer::page::<EventView<'_>>("One page of events."))
}

body! {
    /// Filters of the list.
    struct Query {
        state: EventState,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// Only events in this state.
///
/// - `pending`: not handled yet.
/// - `applied`: it changed its order.
/// - `unchanged`: the order already reflected it.
/// - `ignored`: it does not concern an order.
/// - `mismatch`: it contradicts the order that it names. An administrator should look into it.
/// - `unreadable`: it could not be read. An administrator should look into it.
#[derive(JsonSchema)]
#[schemars(inline, extend("enum" = states()))]
struct EventState(&'static str);

fn states() -> Vec<&'static str> {
    std::iter::once(StripeEvent::PENDING)
        .chain(EventOutcome::ALL.map(EventOutcome::as_str))
        .collect()
}

impl FieldValue for EventState {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        text(|word| one_of(word, &states(), |state| state).map(Self))(name, value)
    }
}

/// An event from Stripe, and what was done about it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StripeEvent")]
struct EventView<'a> {
    /// The id of the event at Stripe, or an id of the API's own if it has none there.
    id: &'a str,
    /// The type of the event at Stripe, such as `payment_intent.succeeded`, or
    /// `finding` for a contradiction that the API found itself.
    #[serde(rename = "type")]
    kind: &'a str,
    /// The version of Stripe's API that the event was written for.
    api_version: Option<&'a str>,
    /// The state of the event, as in the parameter `state`.
    state: &'static str,
    /// A code that explains the state, where that is needed.
    reason: Option<&'a str>,
    /// The order that the event is about.
    order_id: Option<&'a str>,
    #[schemars(with = "DateTime")]
    received_at: Timestamp,
    /// When the event was handled; `null` while it is `pending`.
    #[schemars(with = "Option<DateTime>")]
    handled_at: Option<Timestamp>,
}

impl<'a> From<&'a StripeEvent> for EventView<'a> {
    fn from(event: &'a StripeEvent) -> Self {
        let handled = event.handled.as_ref();
        Self {
            id: event.id.as_str(),
            kind: &event.kind,
            api_version: event.api_version.as_deref(),
            state: event.state(),
            reason: handled.and_then(|handled| handled.reason.as_deref()),
            order_id: handled.and_then(|handled| handled.order_id.as_ref()).map(|id| id.as_str()),
            received_at: event.received_at,
            handled_at: handled.map(|handled| handled.at),
        }
    }
}
