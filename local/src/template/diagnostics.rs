//! Collects what the local cloud does not support in a template, so that one run names all of it.

use std::cell::RefCell;

use anyhow::{Result, bail};
use yaml_serde::{Mapping, Value};

/// Messages of the form `<place in the template>: <what is wrong>`.
#[derive(Debug, Default)]
pub(super) struct Diagnostics(RefCell<Vec<String>>);

impl Diagnostics {
    /// Adds a message.
    pub(super) fn add(&self, message: impl Into<String>) {
        self.0.borrow_mut().push(message.into());
    }

    /// Removes and returns the messages so far.
    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<String> {
        self.0.take()
    }

    /// Whether there are no messages.
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Succeeds if there are no messages. `text` is the template, and `unmerged` are its resources
    /// before `globals` were merged into them.
    ///
    /// # Errors
    /// When there are messages. The error lists all of them, each with its line in `text`. A
    /// property that comes from `globals` is listed once, not for each resource.
    pub(super) fn into_result(
        self,
        text: &str,
        globals: &Mapping,
        unmerged: &Mapping,
    ) -> Result<()> {
        let mut messages: Vec<String> = Vec::new();
        for message in self.0.into_inner() {
            let message = in_globals(&message, globals, unmerged).unwrap_or(message);
            let line = message
                .split_once(": ")
                .and_then(|(place, _)| line(text, place))
                .map_or_else(String::new, |line| format!(" (line {line})"));
            let message = message + &line;
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        match messages.as_slice() {
            [] => Ok(()),
            [only] => bail!("{only}"),
            all => bail!("{} places:\n  {}", all.len(), all.join("\n  ")),
        }
    }
}

/// Turns a message about a resource's property into one about `Globals`, if the property comes from
/// there.
fn in_globals(message: &str, globals: &Mapping, unmerged: &Mapping) -> Option<String> {
    let rest = message.strip_prefix("Resources.")?;
    let (logical_id, rest) = rest.split_once(".Properties.")?;
    let key = rest.split(['.', '[', ':']).next()?;
    let resource = unmerged.get(logical_id)?;
    if resource.get("Properties").and_then(|p| p.get(key)).is_some() {
        return None;
    }
    let section = resource.get("Type").and_then(Value::as_str)?.rsplit("::").next()?;
    globals.get(section)?.get(key)?;
    Some(format!("Globals.{section}.{rest}"))
}

/// Returns the line of `place` in the template, counted from 1. In YAML's inline form (`{a: b}`),
/// it is the line of the innermost enclosing block.
fn line(text: &str, place: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_text = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    // The line found so far, the line at which the search for the next segment starts, and the
    // smallest indentation of the keys below.
    let (mut found, mut start, mut min_indent) = (None, 0, 0);
    for segment in place.split('.') {
        let key = segment.split('[').next().unwrap_or(segment);
        let mut child = None;
        let at = (start..lines.len()).find_map(|i| {
            let line = lines[i];
            if !is_text(line) {
                return None;
            }
            // The first key of a list item follows a dash.
            let without_dash =
                line.replacen("- ", "  ", usize::from(line.trim_start().starts_with("- ")));
            if indent(&without_dash) < min_indent {
                return Some(None);
            }
            let child = *child.get_or_insert(indent(&without_dash));
            let name = without_dash.trim_start().trim_start_matches(['"', '\'']);
            let is_key = name.strip_prefix(key).is_some_and(|rest| {
                rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':')
            });
            (is_key && indent(&without_dash) <= child.max(min_indent))
                .then_some(Some((i, indent(&without_dash))))
        });
        let Some(Some((at, depth))) = at else { break };
        (found, start, min_indent) = (Some(at + 1), at + 1, depth + 1);
        if let Some(number) = segment.split(['[', ']']).nth(1).and_then(|n| n.parse().ok()) {
            let dashes: Vec<usize> = (start..lines.len())
                .take_while(|&i| {
                    !is_text(lines[i])
                        || indent(lines[i]) > depth
                        || (indent(lines[i]) == depth && lines[i].trim_start().starts_with("- "))
                })
                .filter(|&i| lines[i].trim_start().starts_with("- "))
                .collect();
            let first = dashes.first().map(|&i| indent(lines[i]));
            let item = dashes.into_iter().filter(|&i| Some(indent(lines[i])) == first).nth(number);
            let Some(item) = item else { break };
            (found, start, min_indent) = (Some(item + 1), item, indent(lines[item]) + 1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::yaml::parse;

    const TEMPLATE: &str = "\
# Resources: not these
Globals:
  Function:
    Layers: [a]
Resources:
  Bucket:
    Type: AWS::S3::Bucket

  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        E:
          Type: S3
          Properties: {Bucket: b}
      Policies:
      - A
      - Statement:
        - Effect: Allow
          NotAction: x
      Tracing: Active
";

    #[test]
    fn the_line_of_a_place_is_found() {
        for (place, expected) in [
            ("Resources.Bucket", 6),
            ("Resources.F.Properties.Tracing", 21),
            ("Resources.F.Properties.Events.E.Properties.Bucket", 15),
            ("Resources.F.Properties.Policies[0]", 17),
            ("Resources.F.Properties.Policies[1].Statement[0].NotAction", 20),
            ("Globals.Function.Layers[0]", 4),
        ] {
            assert_eq!(line(TEMPLATE, place), Some(expected), "{place}");
        }
        assert_eq!(line(TEMPLATE, "Outputs.Url"), None);
    }

    #[test]
    fn every_problem_is_listed_and_a_global_property_is_listed_once() {
        let diagnostics = Diagnostics::default();
        diagnostics.add("Resources.Bucket: no buckets");
        diagnostics.add("Resources.F.Properties.Layers: no layers");
        diagnostics.add("Resources.G.Properties.Layers: no layers");
        let function = "{Type: 'AWS::Serverless::Function', Properties: {}}";
        let unmerged = parse(&format!("F: {function}\nG: {function}")).unwrap();
        let globals = parse("Function: {Layers: [a]}").unwrap();
        let error = diagnostics.into_result(TEMPLATE, &globals, &unmerged).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 places:\n  Resources.Bucket: no buckets (line 6)\n  Globals.Function.Layers: no layers (line 4)"
        );
    }
}
