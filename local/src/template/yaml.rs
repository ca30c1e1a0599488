//! Reads YAML with CloudFormation's short-form tags into plain values, where every intrinsic has
//! its long form.

use anyhow::{Context, Result, bail};
use yaml_serde::value::TaggedValue;
use yaml_serde::{Mapping, Value};

/// Reads a template: `!Sub x` becomes `{"Fn::Sub": x}`, `!Ref x` becomes `{"Ref": x}`.
///
/// # Errors
/// When it is not valid YAML, or its top level is not a map.
pub(super) fn parse(text: &str) -> Result<Mapping> {
    let value: Value = yaml_serde::from_str(text).context("not valid YAML")?;
    match long_form(value, "")? {
        Value::Mapping(mapping) => Ok(mapping),
        _ => bail!("a template is a map with `Resources`"),
    }
}

/// Returns the path of `key` below `path`, as messages show it: `Resources.Orders.Properties`.
pub(super) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn long_form(value: Value, path: &str) -> Result<Value> {
    Ok(match value {
        Value::Tagged(tagged) => tagged_long_form(*tagged, path)?,
        Value::Sequence(items) => Value::Sequence(
            items
                .into_iter()
                .enumerate()
                .map(|(i, item)| long_form(item, &format!("{path}[{i}]")))
                .collect::<Result<_>>()?,
        ),
        Value::Mapping(entries) => {
            let mut plain = Mapping::with_capacity(entries.len());
            for (key, value) in entries {
                let key = match key {
                    Value::String(key) => key,
                    Value::Number(key) => key.to_string(),
                    Value::Bool(key) => key.to_string(),
                    _ => bail!("{path}: a key is not a string"),
                };
                let value = long_form(value, &below(path, &key))?;
                plain.insert(Value::String(key), value);
            }
            Value::Mapping(plain)
        }
        plain => plain,
    })
}

fn tagged_long_form(tagged: TaggedValue, path: &str) -> Result<Value> {
    let tag = tagged.tag.to_string();
    let name = tag.trim_start_matches('!');
    let argument = long_form(tagged.value, path)?;
    let (function, argument) = match (name, argument) {
        ("Ref" | "Condition", argument) => (name.to_owned(), argument),
        ("GetAtt", Value::String(dotted)) => {
            let (resource, attribute) = dotted.split_once('.').with_context(|| {
                format!("{path}: !GetAtt {dotted} is not <resource>.<attribute>")
            })?;
            ("Fn::GetAtt".to_owned(), Value::Sequence(vec![resource.into(), attribute.into()]))
        }
        (_, argument) => (format!("Fn::{name}"), argument),
    };
    Ok(Value::Mapping([(Value::String(function), argument)].into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_forms_at_any_depth() {
        let short =
            parse("a: [!Ref X, {b: !GetAtt Table.Stream.Arn}]\nc: !If [Prod, !Sub '${X}', !Ref 'AWS::NoValue']")
                .unwrap();
        let long = parse(
            "a: [{Ref: X}, {b: {'Fn::GetAtt': [Table, Stream.Arn]}}]\nc: {'Fn::If': [Prod, {'Fn::Sub': '${X}'}, {Ref: 'AWS::NoValue'}]}",
        )
        .unwrap();
        assert_eq!(short, long);
    }

    #[test]
    fn an_error_about_invalid_yaml_names_the_line() {
        let error = format!("{:#}", parse("Resources:\n  A: [1\n  B: 2").unwrap_err());
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn a_duplicate_key_is_an_error() {
        let error = format!("{:#}", parse("Resources:\n  A: 1\n  A: 2").unwrap_err());
        assert!(error.contains("duplicate entry with key \"A\""), "{error}");
    }
}
