//! `Conditions`, for `Fn::If` and for a resource's `Condition`.

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::scope::{Scope, UNKNOWN};

impl Scope<'_> {
    /// Whether the condition with this name is true.
    ///
    /// # Errors
    /// When there is no such condition, or it is malformed.
    pub(super) fn condition(&self, name: &str, path: &str) -> Result<bool> {
        let condition = self
            .conditions
            .get(name)
            .with_context(|| format!("{path}: Conditions has no {name}"))?;
        self.holds(condition, &format!("Conditions.{name}"), 0)
    }

    fn holds(&self, condition: &Value, path: &str, depth: usize) -> Result<bool> {
        // Only a condition that refers to itself is nested this deeply.
        if depth > 32 {
            bail!("{path}: the condition refers to itself");
        }
        let single = condition.as_mapping().filter(|m| m.len() == 1).and_then(|m| m.iter().next());
        let (function, argument) = single.with_context(|| format!("{path}: not a condition"))?;
        let arguments = || {
            argument
                .as_sequence()
                .filter(|a| !a.is_empty())
                .with_context(|| format!("{path}: must be a list that is not empty"))
        };
        Ok(match function.as_str().unwrap_or_default() {
            "Condition" => {
                let name =
                    argument.as_str().with_context(|| format!("{path}: Condition takes a name"))?;
                let condition = self
                    .conditions
                    .get(name)
                    .with_context(|| format!("{path}: Conditions has no {name}"))?;
                self.holds(condition, path, depth + 1)?
            }
            "Fn::Equals" => match arguments()?.as_slice() {
                [a, b] => self.comparable(a, path)? == self.comparable(b, path)?,
                _ => bail!("{path}: Fn::Equals takes two values"),
            },
            "Fn::Not" => match arguments()?.as_slice() {
                [condition] => !self.holds(condition, path, depth + 1)?,
                _ => bail!("{path}: Fn::Not takes a list of one condition"),
            },
            "Fn::And" => {
                let results: Vec<bool> = arguments()?
                    .iter()
                    .map(|c| self.holds(c, path, depth + 1))
                    .collect::<Result<_>>()?;
                results.into_iter().all(|holds| holds)
            }
            "Fn::Or" => {
                let results: Vec<bool> = arguments()?
                    .iter()
                    .map(|c| self.holds(c, path, depth + 1))
                    .collect::<Result<_>>()?;
                results.into_iter().any(|holds| holds)
            }
            other => bail!("{path}: {other} is not a condition function"),
        })
    }

    fn comparable(&self, value: &Value, path: &str) -> Result<String> {
        let value = self.resolve_string(value, path)?;
        ensure!(!value.contains(UNKNOWN), "{path}: {value} is not known before deployment");
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::scope::tests::with_scope;

    const TEMPLATE: &str = "
        Parameters: {Stage: prod}
        Conditions:
          Prod: !Equals [!Ref Stage, prod]
          Dev: !Not [!Condition Prod]
          Both: !And [!Condition Prod, !Condition Dev]
          Either: !Or [!Condition Prod, !Condition Dev]
          Circle: !Not [!Condition Circle]";

    #[test]
    fn conditions_combine() {
        with_scope(TEMPLATE, |scope| {
            let holds = |name| scope.condition(name, "Place").unwrap();
            assert_eq!(
                [holds("Prod"), holds("Dev"), holds("Both"), holds("Either")],
                [true, false, false, true]
            );
        });
    }

    #[test]
    fn a_cycle_of_conditions_is_an_error() {
        with_scope(TEMPLATE, |scope| {
            let error = scope.condition("Circle", "Place").unwrap_err();
            assert_eq!(error.to_string(), "Conditions.Circle: the condition refers to itself");
        });
    }
}
