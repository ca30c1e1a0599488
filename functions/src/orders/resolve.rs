//! `POST /orders/{id}/resolve`: an administrator decides a dispute, for the worker (`release`) or
//! for the client (`refund`).

use schemars::JsonSchema;
use serde_json::{Value, json};
use shared::domain::order::Transition;
use shared::domain::text::Reason;
use shared::error::Result;

use super::transition::{self, TransitionRequest};
use super::{Orders, read};
use crate::http::{Endpoint, FieldErrors, FieldValue, Reply, Request, Who, body, one_of, text};
use crate::openapi::Operation;

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/resolve", Who::Admin);

/// How a dispute is decided.
#[derive(Clone, Copy, JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
enum Decision {
    /// Decides for the worker: the order is completed.
    Release,
    /// Decides for the client: the order is canceled and refunded.
    Refund,
}

impl FieldValue for Decision {
    fn read(name: &str, value: Value) -> std::result::Result<Self, FieldErrors> {
        let word = |decision| match decision {
            Self::Release => "release",
            Self::Refund => "refund",
        };
        text(|text| one_of(text, &[Self::Release, Self::Refund], word))(name, value)
    }
}

body! {
    /// A decision.
    struct Body {
        outcome: Decision,
        /// Why. The order's history shows it.
        note: Reason,
    }
}

/// Completes or cancels the order. When it is canceled, its payment is refunded.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`), 403 unless the caller is an
/// administrator, and 422 without an outcome or a note that says why.
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    let parsed = TransitionRequest::parse(&request, &ENDPOINT, &context.verifier)?;
    let Body { outcome, note } = request.body_as()?;
    let transition = match outcome {
        Decision::Release => Transition::ResolveRelease,
        Decision::Refund => Transition::ResolveRefund,
    };
    let (caller, order) =
        read::with_caller(&context.store, &parsed.claims, &parsed.order_id).await?;
    let command = parsed.command(transition, caller).note(Some(note.into()));
    let check = |version| request.check_if_match(version);
    command.execute(&context.store, &context.timers, order, check, ()).await?.reply(&command.caller)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"outcome": "refund", "note": "The delivery was empty."});
    let transitions = [Transition::ResolveRelease, Transition::ResolveRefund];
    transition::describe::<Body>(&ENDPOINT, &transitions, "Decide a dispute", example)
}
