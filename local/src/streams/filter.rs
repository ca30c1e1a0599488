//! Filter criteria, which select the stream records that a function is invoked with. The patterns
//! are those of EventBridge that Lambda supports.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// The patterns of a mapping. A record passes if one of them matches, or if the mapping has no
/// patterns.
#[derive(Debug, Clone, Default)]
pub struct Filter(Vec<Pattern>);

/// An object of a pattern. All of its members must match.
#[derive(Debug, Clone)]
struct Pattern {
    members: Vec<(String, Node)>,
    /// The `$or` lists. One alternative of each must match.
    alternatives: Vec<Vec<Pattern>>,
}

#[derive(Debug, Clone)]
enum Node {
    Object(Pattern),
    /// One of these must match the value.
    Leaf(Vec<Matcher>),
}

#[derive(Debug, Clone)]
enum Matcher {
    Equals(Value),
    EqualsIgnoreCase(String),
    Prefix(String),
    Suffix(String),
    AnythingBut(Vec<Matcher>),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Filter {
    /// Parses the patterns of a mapping.
    ///
    /// # Errors
    /// When a pattern is malformed or unsupported. The message names the part.
    pub fn new(patterns: &[Value]) -> anyhow::Result<Self> {
        Ok(Self(patterns.iter().map(Pattern::new).collect::<anyhow::Result<_>>()?))
    }

    /// Whether a record passes, given in the shape that the function receives.
    pub fn passes(&self, record: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.matches(Some(record)))
    }
}

impl Pattern {
    fn new(pattern: &Value) -> anyhow::Result<Self> {
        let pattern = pattern
            .as_object()
            .with_context(|| format!("a filter pattern must be an object, not {pattern}"))?;
        let (mut members, mut alternatives) = (Vec::new(), Vec::new());
        for (name, value) in pattern {
            match value {
                Value::Array(patterns) if name == "$or" => {
                    ensure!(
                        patterns.len() > 1,
                        "$or in a filter pattern needs more than one alternative"
                    );
                    alternatives
                        .push(patterns.iter().map(Self::new).collect::<anyhow::Result<_>>()?);
                }
                Value::Array(matchers) => {
                    ensure!(
                        !matchers.is_empty(),
                        "{name} in a filter pattern is an empty list, which matches nothing"
                    );
                    let matchers =
                        matchers.iter().map(Matcher::new).collect::<anyhow::Result<_>>()?;
                    members.push((name.clone(), Node::Leaf(matchers)));
                }
                Value::Object(_) => members.push((name.clone(), Node::Object(Self::new(value)?))),
                _ => bail!("{name} in a filter pattern must be a list of values, not {value}"),
            }
        }
        Ok(Self { members, alternatives })
    }

    fn matches(&self, value: Option<&Value>) -> bool {
        if let Some(Value::Array(elements)) = value {
            return elements.iter().any(|element| self.matches(Some(element)));
        }
        let member = |name: &str| value.and_then(|v| v.get(name));
        self.members.iter().all(|(name, node)| match node {
            Node::Object(pattern) => pattern.matches(member(name)),
            Node::Leaf(matchers) => matchers.iter().any(|matcher| matcher.matches(member(name))),
        }) && self
            .alternatives
            .iter()
            .all(|patterns| patterns.iter().any(|pattern| pattern.matches(value)))
    }
}

impl Matcher {
    fn new(matcher: &Value) -> anyhow::Result<Self> {
        let Some(members) = matcher.as_object() else {
            ensure!(!matcher.is_array(), "a filter pattern has a list within a list: {matcher}");
            return Ok(Self::Equals(matcher.clone()));
        };
        let mut members = members.iter();
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            bail!("a matcher in a filter pattern must have exactly one member: {matcher}");
        };
        let text = || {
            value
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("{name} in a filter pattern needs a string, not {value}"))
        };
        Ok(match name.as_str() {
            "prefix" => Self::Prefix(text()?),
            "suffix" => Self::Suffix(text()?),
            "equals-ignore-case" => Self::EqualsIgnoreCase(text()?),
            "exists" => Self::Exists(
                value.as_bool().context("exists in a filter pattern must be true or false")?,
            ),
            "anything-but" => Self::AnythingBut(match value {
                Value::Array(values) => {
                    values.iter().map(Self::new).collect::<anyhow::Result<_>>()?
                }
                value => vec![Self::new(value)?],
            }),
            "numeric" => Self::Numeric(comparisons(value)?),
            _ => bail!("{name} in a filter pattern is not supported by Lambda or the local cloud"),
        })
    }

    /// Objects never match, as in EventBridge, because they are only the path to their members.
    fn matches(&self, value: Option<&Value>) -> bool {
        match (value, self) {
            (None | Some(Value::Object(_)), matcher) => matches!(matcher, Self::Exists(false)),
            (Some(_), Self::Exists(wanted)) => *wanted,
            (Some(Value::Array(elements)), matcher) => {
                elements.iter().any(|e| matcher.matches(Some(e)))
            }
            (Some(value), Self::Equals(wanted)) => match (value.as_f64(), wanted.as_f64()) {
                (Some(value), Some(wanted)) => value.total_cmp(&wanted).is_eq(),
                _ => value == wanted,
            },
            (Some(value), Self::AnythingBut(excluded)) => {
                !excluded.iter().any(|matcher| matcher.matches(Some(value)))
            }
            // DynamoDB's numbers are strings in a record, so numeric matchers never match them,
            // here or on AWS.
            // <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>
            (Some(value), Self::Numeric(comparisons)) => value.as_f64().is_some_and(|value| {
                comparisons.iter().all(|(comparison, bound)| {
                    let ordering = value.total_cmp(bound);
                    match comparison {
                        Comparison::Less => ordering.is_lt(),
                        Comparison::LessOrEqual => ordering.is_le(),
                        Comparison::Equal => ordering.is_eq(),
                        Comparison::GreaterOrEqual => ordering.is_ge(),
                        Comparison::Greater => ordering.is_gt(),
                    }
                })
            }),
            (Some(value), Self::Prefix(prefix)) => {
                value.as_str().is_some_and(|v| v.starts_with(prefix.as_str()))
            }
            (Some(value), Self::Suffix(suffix)) => {
                value.as_str().is_some_and(|v| v.ends_with(suffix.as_str()))
            }
            (Some(value), Self::EqualsIgnoreCase(wanted)) => {
                value.as_str().is_some_and(|v| v.to_lowercase() == wanted.to_lowercase())
            }
        }
    }
}

/// Parses the comparisons of a numeric matcher: `[">", 0, "<=", 5]`.
fn comparisons(value: &Value) -> anyhow::Result<Vec<(Comparison, f64)>> {
    let parts = value.as_array().filter(|a| !a.is_empty() && a.len() % 2 == 0);
    let parts = parts.with_context(|| {
        format!("numeric in a filter pattern must be a list of comparisons, not {value}")
    })?;
    let comparison = |pair: &[Value]| {
        let comparison = match pair[0].as_str() {
            Some("<") => Comparison::Less,
            Some("<=") => Comparison::LessOrEqual,
            Some("=") => Comparison::Equal,
            Some(">=") => Comparison::GreaterOrEqual,
            Some(">") => Comparison::Greater,
            _ => bail!("numeric in a filter pattern does not support {}", pair[0]),
        };
        Ok((
            comparison,
            pair[1].as_f64().with_context(|| {
                format!("numeric in a filter pattern needs a number, not {}", pair[1])
            })?,
        ))
    };
    parts.chunks(2).map(comparison).collect()
}

#[cfg(test)]
mod tests;
