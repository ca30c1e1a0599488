//! Selects the route of a message.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

const PREDEFINED: [&str; 3] = ["$connect", "$disconnect", "$default"];

/// A route selection expression: `$request.body.<path>` or `${request.body.<path>}`.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html>
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection {
    path: Vec<String>,
}

impl Selection {
    /// Parses an expression.
    ///
    /// # Errors
    /// When it is not a single variable of the form `$request.body.<path>`.
    pub(super) fn parse(expression: &str) -> anyhow::Result<Self> {
        let unsupported = || {
            format!(
                "the route selection expression `{expression}` is not supported; use \
                 `$request.body.<path>`"
            )
        };
        let variable = expression.strip_prefix('$').with_context(unsupported)?;
        let variable =
            variable.strip_prefix('{').and_then(|v| v.strip_suffix('}')).unwrap_or(variable);
        let path = variable.strip_prefix("request.body.").with_context(unsupported)?;
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        let is_name = |name: &String| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        };
        ensure!(path.iter().all(is_name), unsupported());
        Ok(Self { path })
    }

    /// Returns the key and the function of the route that `message` selects, or else of `$default`.
    /// Returns `None` if the API doesn't have these routes. A message can't select `$connect` or
    /// `$disconnect`.
    pub(super) fn route<'r>(
        &self,
        routes: &'r BTreeMap<String, String>,
        message: &str,
    ) -> Option<(&'r str, &'r str)> {
        let selected = self.evaluate(message).filter(|key| !PREDEFINED.contains(&key.as_str()));
        let found = selected
            .and_then(|key| routes.get_key_value(&key))
            .or_else(|| routes.get_key_value("$default"));
        found.map(|(key, function)| (key.as_str(), function.as_str()))
    }

    fn evaluate(&self, message: &str) -> Option<String> {
        let body: Value = serde_json::from_str(message).ok()?;
        self.path.iter().try_fold(&body, |value, name| value.get(name))?.as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> BTreeMap<String, String> {
        keys.iter().map(|key| ((*key).to_owned(), format!("fn-{key}"))).collect()
    }

    #[test]
    fn a_json_message_takes_the_route_that_it_selects() {
        let selection = Selection::parse("$request.body.action").unwrap();
        let routes = routes(&["hello", "$default"]);
        assert_eq!(selection.route(&routes, r#"{"action":"hello"}"#), Some(("hello", "fn-hello")));
    }

    #[test]
    fn every_other_message_takes_the_default_route() {
        let selection = Selection::parse("$request.body.action").unwrap();
        let routes = routes(&["hello", "$default", "$connect", "$disconnect"]);
        for message in [
            r#"{"action":"other"}"#,
            r#"{"action":1}"#,
            r#"{"action":"$connect"}"#,
            r#"{"action":"$disconnect"}"#,
            r#"{"type":"hello"}"#,
            r#""hello""#,
            "hello",
            "",
        ] {
            assert_eq!(
                selection.route(&routes, message),
                Some(("$default", "fn-$default")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_message_has_no_route_without_a_match_or_a_default() {
        let selection = Selection::parse("$request.body.action").unwrap();
        assert_eq!(
            selection.route(&routes(&["hello", "$connect"]), r#"{"action":"$connect"}"#),
            None
        );
    }

    #[test]
    fn an_expression_can_have_braces_and_a_nested_field() {
        let selection = Selection::parse("${request.body.meta.kind}").unwrap();
        assert_eq!(
            selection.route(&routes(&["x"]), r#"{"meta":{"kind":"x"}}"#),
            Some(("x", "fn-x"))
        );
    }

    #[test]
    fn unsupported_selection_expressions_are_rejected() {
        for expression in [
            "",
            "$request.header.x",
            "${request.body.a}-${request.body.b}",
            "$request.body.",
            "request.body.a",
        ] {
            assert!(Selection::parse(expression).is_err(), "{expression}");
        }
    }
}
