//! `Parameters` and their values.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::{Mapping, Value};

use super::scope::{scalar, unknown};

/// Returns the value of every parameter: the one in `given`, else its default, else the placeholder
/// for an unknown value.
///
/// # Errors
/// When a type is missing or not supported, when a value is not allowed, or when a name in `given`
/// is not that of a parameter.
pub(super) fn values(
    parameters: &Mapping,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>> {
    let mut values = BTreeMap::new();
    for (name, parameter) in parameters {
        let name = name.as_str().unwrap_or_default();
        let path = format!("Parameters.{name}");
        let parameter_type = parameter
            .get("Type")
            .and_then(Value::as_str)
            .with_context(|| format!("{path}.Type: missing"))?;
        // The default of a type such as `AWS::SSM::Parameter::Value<String>` is not the value, but
        // says where AWS looks it up.
        let is_looked_up = parameter_type.starts_with("AWS::SSM::");
        let default = parameter
            .get("Default")
            .filter(|_| !is_looked_up)
            .map(|d| scalar(d).with_context(|| format!("{path}.Default: must be a string")))
            .transpose()?;
        let Some(value) = given.get(name).cloned().or(default) else {
            values.insert(name.to_owned(), unknown(name));
            continue;
        };
        if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_sequence) {
            let allowed: Vec<String> = allowed.iter().filter_map(scalar).collect();
            ensure!(
                allowed.contains(&value),
                "{path}: {value} is not one of {}",
                allowed.join(", ")
            );
        }
        let value = match parameter_type {
            "String" => Value::String(value),
            aws if aws.starts_with("AWS::") => Value::String(value),
            "Number" => {
                ensure!(value.parse::<f64>().is_ok(), "{path}: {value} is not a number");
                Value::String(value)
            }
            "CommaDelimitedList" | "List<Number>" => {
                Value::Sequence(value.split(',').map(|v| Value::from(v.trim())).collect())
            }
            other => bail!("{path}.Type: the local cloud does not support {other}"),
        };
        values.insert(name.to_owned(), value);
    }
    if let Some(unknown) = given.keys().find(|name| !values.contains_key(*name)) {
        bail!("a value was given for {unknown}, but Parameters has no {unknown}");
    }
    Ok(values)
}
