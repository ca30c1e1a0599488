//! `GET /webhooks/stripe/events`: what came from Stripe and what was done about it, for
//! administrators. `?state=mismatch` is where money may be that no order knows of.

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

/// One page of events of one state, newest first: `{id, type, api_version, state, reason, order_id,
/// received_at, handled_at}`.
///
/// # Errors
/// 403 for all but administrators, 422 without a state, 400 for a cursor of another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { state: State(state), limit, cursor } = request.query_as()?;
    let page = page::of(limit, cursor);
    let listed = context.store.stripe_events(state, &page, &context.cursors).await?;
    page::reply(&request, listed.items.iter().map(EventView::from).collect(), listed.next_cursor)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "What came from Stripe, newest first")
        .details("`?state=mismatch` is where money may be that no order knows of.")
        .query::<Query>()
        .answer(Answer::page::<EventView<'_>>("One page of events."))
}

body! {
    /// Which events.
    struct Query {
        state: State,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// What was done about an event: nothing yet, or one of the outcomes.
#[derive(JsonSchema)]
#[schemars(inline, extend("enum" = states()))]
struct State(&'static str);

fn states() -> Vec<&'static str> {
    std::iter::once(StripeEvent::PENDING)
        .chain(EventOutcome::ALL.map(EventOutcome::as_str))
        .collect()
}

impl FieldValue for State {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        text(|word| one_of(word, &states(), |state| state).map(Self))(name, value)
    }
}

/// What came from Stripe, and what was done about it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StripeEvent")]
struct EventView<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    api_version: Option<&'a str>,
    state: &'static str,
    reason: Option<&'a str>,
    order_id: Option<&'a str>,
    #[schemars(with = "DateTime")]
    received_at: Timestamp,
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
