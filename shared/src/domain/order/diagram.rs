//! Renders the transition table for people: as a Mermaid diagram and as a Markdown table.

use std::fmt::Write;

use super::state::Status;
use super::table::{Rule, TABLE};

/// Returns a [Mermaid state diagram](https://mermaid.js.org/syntax/stateDiagram.html).
pub fn mermaid() -> String {
    let mut text = String::from("stateDiagram-v2\n");
    for rule in TABLE {
        let from = rule.from.map_or("[*]", Status::as_str);
        let actors = join(rule.actors.iter().map(|actor| actor.as_str()), ", ");
        push_line(
            &mut text,
            format_args!(
                "    {from} --> {}: {} ({actors})",
                rule.to.as_str(),
                rule.transition.as_str()
            ),
        );
    }
    for status in Status::ALL.into_iter().filter(|status| status.is_final()) {
        push_line(&mut text, format_args!("    {} --> [*]", status.as_str()));
    }
    text
}

/// Returns a Markdown table with one row per rule.
pub fn table() -> String {
    let mut text = String::from(
        "| From | Transition | To | Who | Condition | At Stripe | Timer started |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for rule in TABLE {
        let Rule { from, transition, to, actors, guards, effects } = rule;
        push_line(
            &mut text,
            format_args!(
                "| {} | `{}` | {} | {} | {} | {} | {} |",
                from.map_or("", Status::as_str),
                transition.as_str(),
                to.as_str(),
                join(actors.iter().map(|actor| actor.as_str()), ", "),
                join(guards.iter().map(|guard| guard.describe()), "; "),
                join(effects.iter().map(|effect| effect.describe()), "; "),
                to.timer().map_or("", |timer| timer.as_str()),
            ),
        );
    }
    text
}

/// Returns the content of `docs/order-lifecycle.md`.
pub fn markdown() -> String {
    format!("{INTRODUCTION}\n```mermaid\n{}```\n\n{}", mermaid(), table())
}

const INTRODUCTION: &str = "\
# The lifecycle of an order

The diagram shows every status of an order, and every transition with the actors who can make it.
The table adds the conditions of each transition, what must then happen at Stripe, and the timer
that the new status starts. A transition that starts no timer stops the running one.

When a timer runs out, `orders-timers` makes the transition of the actor `timer`: `unpaid` (30
minutes) and `unclaimed` (7 days) cancel the order, `unreviewed` (3 days) completes it. The
template's parameters `OrderUnpaidSeconds`, `OrderUnclaimedSeconds` and `OrderUnreviewedSeconds` set
these times.

This page is generated from the transition table in `shared/src/domain/order/table.rs`.
";

fn join<'a>(parts: impl Iterator<Item = &'a str>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}

fn push_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    writeln!(text, "{line}").unwrap_or_default();
}

#[cfg(test)]
mod document {
    /// `UPDATE_DOCS=1 cargo test -p shared lifecycle` regenerates the page.
    #[test]
    fn the_lifecycle_page_matches_the_transition_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/order-lifecycle.md");
        let expected = super::markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            expected,
            "regenerate it with UPDATE_DOCS=1"
        );
    }
}
