//! `POST /orders/{id}/resolve`: an administrator decides a dispute, for the worker (`release`) or
//! for the client (`refund`).

use schemars::JsonSchema;
use serde_json::{Value, json};
use shared::domain::order::Transition;
use shared::domain::text::Note;
use shared::domain::user::Role;
use shared::error::Result;

use super::described;
use super::mover::Asked;
use crate::context::Orders;
use crate::http::{FieldErrors, FieldValue, Reply, Request, body, one_of, only, text};
use crate::openapi::{Operation, Who};

/// For whom a dispute is decided.
#[derive(Clone, Copy, JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
enum Outcome {
    /// For the worker: the order is completed.
    Release,
    /// For the client: the order is canceled, and what was paid goes back.
    Refund,
}

impl FieldValue for Outcome {
    fn read(name: &str, value: Value) -> std::result::Result<Self, FieldErrors> {
        let word = |outcome| match outcome {
            Self::Release => "release",
            Self::Refund => "refund",
        };
        text(|text| one_of(text, &[Self::Release, Self::Refund], word))(name, value)
    }
}

body! {
    /// A decision.
    struct Body {
        outcome: Outcome,
        /// Why; in the order's history.
        note: Note,
    }
}

/// The order, completed or canceled; when canceled, what was paid goes back.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`), 403 for all
/// but administrators, 422 without an outcome or a note that says why.
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    let asked = Asked::of(&request, &context.verifier, "orders-resolve")?;
    only(&asked.claims, Role::Admin)?;
    let Body { outcome, note } = request.body_as()?;
    let transition = match outcome {
        Outcome::Release => Transition::ResolveRelease,
        Outcome::Refund => Transition::ResolveRefund,
    };
    asked.directly(context, transition, Some(note)).await
}

/// In the API description.
pub fn describe() -> Operation {
    let example = json!({"outcome": "refund", "note": "The delivery was empty."});
    described::with::<Body>(
        "/orders/{id}/resolve",
        "orders-resolve",
        "Decide a dispute",
        Who::Admin,
        example,
    )
}
