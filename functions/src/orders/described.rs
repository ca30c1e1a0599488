//! How every move of an order is described.

use schemars::JsonSchema;
use serde_json::{Value, json};
use shared::domain::ids::OrderId;
use shared::domain::text::Note;
use shared::error::{Code, catalogue};

use super::OrderView;
use crate::http::{FieldSet, body};
use crate::openapi::{Answer, Operation, Who};

body! {
    /// What one may say of a move.
    pub(super) struct WithNote {
        pub(super) note: Option<Note>,
    }
}

body! {
    /// What one has to say of a move.
    pub(super) struct WithReason {
        /// Why; in the order's history.
        pub(super) reason: Note,
    }
}

/// A move that takes a note.
pub(super) fn with_note(
    path: &'static str,
    function: &'static str,
    summary: &'static str,
    who: Who,
) -> Operation {
    with::<WithNote>(path, function, summary, who, json!({"note": "Thank you."}))
}

/// A move that takes a reason.
pub(super) fn with_reason(
    path: &'static str,
    function: &'static str,
    summary: &'static str,
    who: Who,
) -> Operation {
    with::<WithReason>(
        path,
        function,
        summary,
        who,
        json!({"reason": "This is not what was ordered."}),
    )
}

/// A move that takes `T`.
pub(super) fn with<T: FieldSet + JsonSchema>(
    path: &'static str,
    function: &'static str,
    summary: &'static str,
    who: Who,
    example: Value,
) -> Operation {
    Operation::post(path, function, summary)
        .who(who)
        .id::<OrderId>()
        .body::<T>(example)
        .answer(Answer::ok::<OrderView<'_>>("The order, after the move.").etag())
        .idempotent()
        .if_match()
        .problems(REFUSALS)
}

/// What may keep an order from being moved.
const REFUSALS: &[&Code] = &[
    &catalogue::FORBIDDEN,
    &catalogue::OWN_ORDER,
    &catalogue::ILLEGAL_TRANSITION,
    &catalogue::ORDER_NOT_FUNDED,
    &catalogue::NO_REVISIONS_LEFT,
    &catalogue::NO_HANDOVERS_LEFT,
    &catalogue::WORKER_NOT_ELIGIBLE,
    &catalogue::WORKER_NOT_EXPECTED,
    &catalogue::VERSION_CONFLICT,
];
