//! `GET /webhooks/stripe/events`: what came from Stripe and what was done about it, for administrators. `?state=mismatch` is where money may be
//! that no order knows of.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::user::Role;
use shared::error::{Invalid, Result};
use shared::store::{EventOutcome, StripeEvent};

use crate::context::Listing;
use crate::http::{Reply, Request, bearer, only, page, text};

/// One page of events of one state, newest first: `{id, type, api_version, state, reason, order_id, received_at, handled_at}`.
///
/// # Errors
/// 403 for all but administrators, 422 without a state, 400 for a cursor of another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    only(&claims, Role::Admin)?;
    let mut query = request.query(&["state", "limit", "cursor"])?;
    let state = query.required("state", text(state));
    let page = page::asked(&mut query);
    let (state, page) = query.finish((state, page))?;
    let listed = context.store.stripe_events(state, &page, &context.cursors).await?;
    page::reply(&request, listed.items.iter().map(EventView::from).collect(), listed.next_cursor)
}

fn state(text: &str) -> std::result::Result<&'static str, Invalid> {
    let states = || std::iter::once(StripeEvent::PENDING).chain(EventOutcome::ALL.map(EventOutcome::as_str));
    let known = || Invalid::new("invalid", format!("Must be one of {}.", states().collect::<Vec<_>>().join(", ")));
    states().find(|state| *state == text).ok_or_else(known)
}

#[derive(Serialize)]
struct EventView<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    api_version: Option<&'a str>,
    state: &'static str,
    reason: Option<&'a str>,
    order_id: Option<&'a str>,
    received_at: Timestamp,
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
