//! The transition table for people: a Mermaid diagram and a Markdown table, for the docs and the
//! API description.

use std::fmt::Write;

use super::state::Status;
use super::table::{Rule, TABLE};

/// A [Mermaid state diagram](https://mermaid.js.org/syntax/stateDiagram.html).
pub fn mermaid() -> String {
    let mut text = String::from("stateDiagram-v2\n");
    for rule in TABLE {
        let from = rule.from.map_or("[*]", Status::as_str);
        let actors = join(rule.actors.iter().map(|actor| actor.as_str()), ", ");
        line(
            &mut text,
            format_args!(
                "    {from} --> {}: {} ({actors})",
                rule.to.as_str(),
                rule.transition.as_str()
            ),
        );
    }
    for status in Status::ALL.into_iter().filter(|status| status.is_final()) {
        line(&mut text, format_args!("    {} --> [*]", status.as_str()));
    }
    text
}

/// A Markdown table, one row per rule.
pub fn table() -> String {
    let mut text = String::from(
        "| from | move | to | who | if | at Stripe | timer then armed |\n|---|---|---|---|---|---|---|\n",
    );
    for rule in TABLE {
        let Rule { from, transition, to, actors, guards, effects } = rule;
        line(
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

/// Diagram and table, as `docs/order-lifecycle.md` has them.
pub fn markdown() -> String {
    format!("```mermaid\n{}```\n\n{}", mermaid(), table())
}

fn join<'a>(parts: impl Iterator<Item = &'a str>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    writeln!(text, "{line}").unwrap_or_default();
}

#[cfg(test)]
mod document {
    /// `UPDATE_DOCS=1 cargo test -p shared lifecycle` writes it anew.
    #[test]
    fn the_lifecycle_in_the_docs_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/order-lifecycle.md");
        let expected = super::markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            expected,
            "UPDATE_DOCS=1 writes it anew"
        );
    }
}
