//! Evaluates intrinsic functions in the scope of a template.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::{Mapping, Value};

use super::diagnostics::Diagnostics;
use super::yaml::below;

/// The region of all local resources.
pub(crate) const REGION: &str = "us-east-1";
/// The account of all local resources.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The logical id of the HTTP API that SAM creates for events without an `ApiId`.
pub(super) const IMPLICIT_API: &str = "ServerlessHttpApi";

/// Everything that a template can refer to.
pub(super) struct Scope<'t> {
    /// `AWS::StackName`.
    pub(super) stack_name: String,
    /// The parameters' values: strings, lists of strings, or [`unknown`] for a parameter without a
    /// value.
    pub(super) parameters: BTreeMap<String, Value>,
    /// `Mappings`.
    pub(super) mappings: Mapping,
    /// `Conditions`, not evaluated yet.
    pub(super) conditions: Mapping,
    /// `Resources`.
    pub(super) resources: &'t Mapping,
    /// How many names are being evaluated. A name may refer to the name of another resource.
    pub(super) name_depth: Cell<usize>,
    /// The unsupported and malformed parts found so far.
    pub(super) diagnostics: Diagnostics,
    /// The notes so far, about differences from AWS.
    pub(super) notes: RefCell<Vec<String>>,
}

/// The start of CloudFormation's dynamic references, whose values only a deployed stack has.
pub(crate) const UNKNOWN: &str = "{{resolve:";

/// Returns the placeholder for a parameter without a value. It is allowed only in a function's
/// environment, where `local.env` can set the value.
pub(super) fn unknown(parameter: &str) -> Value {
    format!("{UNKNOWN}parameter:{parameter}}}}}").into()
}

/// Returns the function and the argument of `{"Fn::...": argument}` or `{"Ref": argument}`, or
/// `None` for any other value.
pub(super) fn intrinsic(value: &Value) -> Option<(&str, &Value)> {
    let mapping = value.as_mapping().filter(|m| m.len() == 1)?;
    let (name, argument) = mapping.iter().next()?;
    let name = name.as_str()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name, argument))
}

/// Converts a scalar to a string, as CloudFormation does where a string is expected.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

impl Scope<'_> {
    /// Returns `value` with every intrinsic evaluated, or `None` for `AWS::NoValue`.
    ///
    /// # Errors
    /// When an intrinsic is malformed, unsupported, or refers to something that does not exist.
    pub(super) fn resolve(&self, value: &Value, path: &str) -> Result<Option<Value>> {
        if let Some((function, argument)) = intrinsic(value) {
            return self.call(function, argument, path);
        }
        Ok(Some(match value {
            Value::Sequence(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for (i, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve(item, &format!("{path}[{i}]"))?);
                }
                Value::Sequence(resolved)
            }
            Value::Mapping(entries) => {
                let mut resolved = Mapping::with_capacity(entries.len());
                for (key, value) in entries {
                    let name = key.as_str().unwrap_or_default();
                    ensure!(
                        !name.starts_with("Fn::"),
                        "{path}: {name} can't be combined with other keys"
                    );
                    if let Some(value) = self.resolve(value, &below(path, name))? {
                        resolved.insert(key.clone(), value);
                    }
                }
                Value::Mapping(resolved)
            }
            plain => plain.clone(),
        }))
    }

    /// Returns `value` with every intrinsic evaluated, as a string. Numbers and booleans are
    /// converted.
    ///
    /// # Errors
    /// When an intrinsic can't be evaluated, or the result is not a string.
    pub(super) fn resolve_string(&self, value: &Value, path: &str) -> Result<String> {
        let resolved = self.resolve(value, path)?;
        resolved.as_ref().and_then(scalar).with_context(|| format!("{path}: must be a string"))
    }

    fn call(&self, function: &str, argument: &Value, path: &str) -> Result<Option<Value>> {
        let arguments = || {
            argument
                .as_sequence()
                .map(Vec::as_slice)
                .with_context(|| format!("{path}: {function} takes a list"))
        };
        Ok(Some(match function {
            "Ref" => {
                let name =
                    argument.as_str().with_context(|| format!("{path}: Ref takes a name"))?;
                return self.reference(name, path);
            }
            "Fn::GetAtt" => {
                let arguments = arguments()?;
                let [resource, attribute] = arguments else {
                    bail!("{path}: Fn::GetAtt takes a resource and an attribute")
                };
                let resource = self.resolve_string(resource, path)?;
                let attribute = self.resolve_string(attribute, path)?;
                self.attribute(&resource, Some(&attribute), path)?.into()
            }
            "Fn::Sub" => self.substitute(argument, path)?.into(),
            "Fn::If" => {
                let [condition, then, otherwise] = arguments()? else {
                    bail!("{path}: Fn::If takes a condition and two values")
                };
                let condition = condition
                    .as_str()
                    .with_context(|| format!("{path}: Fn::If takes the name of a condition"))?;
                return self.resolve(
                    if self.condition(condition, path)? { then } else { otherwise },
                    path,
                );
            }
            "Fn::Join" => {
                let [separator, parts] = arguments()? else {
                    bail!("{path}: Fn::Join takes a separator and a list")
                };
                self.strings(parts, path)?.join(&self.resolve_string(separator, path)?).into()
            }
            "Fn::Split" => {
                let [separator, text] = arguments()? else {
                    bail!("{path}: Fn::Split takes a separator and a string")
                };
                let separator = self.resolve_string(separator, path)?;
                let text = self.resolve_string(text, path)?;
                Value::Sequence(text.split(separator.as_str()).map(Value::from).collect())
            }
            "Fn::Select" => {
                let [index, list] = arguments()? else {
                    bail!("{path}: Fn::Select takes an index and a list")
                };
                let index: usize = self
                    .resolve_string(index, path)?
                    .parse()
                    .with_context(|| format!("{path}: Fn::Select takes a number"))?;
                let list = self.strings(list, path)?;
                list.get(index)
                    .with_context(|| {
                        format!("{path}: Fn::Select {index} of a list of length {}", list.len())
                    })?
                    .as_str()
                    .into()
            }
            "Fn::FindInMap" => {
                let [map, first, second] = arguments()? else {
                    bail!("{path}: Fn::FindInMap takes a map and two keys")
                };
                let keys = [
                    self.resolve_string(map, path)?,
                    self.resolve_string(first, path)?,
                    self.resolve_string(second, path)?,
                ];
                let found = self
                    .mappings
                    .get(&keys[0])
                    .and_then(|v| v.get(&keys[1]))
                    .and_then(|v| v.get(&keys[2]));
                found
                    .with_context(|| format!("{path}: Mappings has no {}", keys.join(".")))?
                    .clone()
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                bail!("{path}: {function} is only for Conditions")
            }
            other => bail!("{path}: the local cloud does not support {other}"),
        }))
    }

    fn strings(&self, list: &Value, path: &str) -> Result<Vec<String>> {
        let list = self.resolve(list, path)?;
        let list = list
            .as_ref()
            .and_then(Value::as_sequence)
            .with_context(|| format!("{path}: must be a list"))?;
        list.iter()
            .map(|item| scalar(item).with_context(|| format!("{path}: must be a list of strings")))
            .collect()
    }

    fn reference(&self, name: &str, path: &str) -> Result<Option<Value>> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(value.clone()));
        }
        Ok(Some(Value::from(match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => REGION,
            "AWS::AccountId" => ACCOUNT,
            "AWS::StackName" => &self.stack_name,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            pseudo if pseudo.starts_with("AWS::") => {
                bail!("{path}: the local cloud does not support !Ref {pseudo}")
            }
            resource => return Ok(Some(self.attribute(resource, None, path)?.into())),
        })))
    }

    /// Evaluates `Fn::Sub`: `${Name}`, `${Resource.Attribute}`, `${!Literal}`, and the local names
    /// of its two-argument form.
    fn substitute(&self, argument: &Value, path: &str) -> Result<String> {
        let (text, locals) = match argument {
            Value::String(text) => (text, None),
            Value::Sequence(arguments) => match arguments.as_slice() {
                [Value::String(text), Value::Mapping(locals)] => (text, Some(locals)),
                _ => bail!("{path}: Fn::Sub takes a string and a map"),
            },
            _ => bail!("{path}: Fn::Sub takes a string"),
        };
        let mut result = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find("${") {
            result.push_str(&rest[..start]);
            let end = start
                + rest[start..]
                    .find('}')
                    .with_context(|| format!("{path}: Fn::Sub has a ${{ without }}"))?;
            let name = rest[start + 2..end].trim();
            rest = &rest[end + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some(local) = locals.and_then(|l| l.get(name)) {
                result.push_str(&self.resolve_string(local, path)?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                result.push_str(&self.attribute(resource, Some(attribute), path)?);
            } else {
                let value = self.reference(name, path)?;
                let value = value
                    .as_ref()
                    .and_then(scalar)
                    .with_context(|| format!("{path}: ${{{name}}} is not a string"))?;
                result.push_str(&value);
            }
        }
        result.push_str(rest);
        Ok(result)
    }
}

#[cfg(test)]
pub(super) mod tests;
