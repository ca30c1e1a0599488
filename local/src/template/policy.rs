//! `Policies` of a function: inline statements that allow.

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::model::Statement;
use super::properties::Properties;

/// Managed policies for services that have no local effect.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("AWSLambdaBasicExecutionRole", "writing logs is always allowed"),
    ("AWSXRayDaemonWriteAccess", "X-Ray only records"),
];

/// Reads `Policies`: a policy document, or a list of them. Managed policies and SAM's policy
/// templates are refused by name.
pub(super) fn read_policies(properties: &mut Properties<'_>) -> Result<Vec<Statement>> {
    let path = properties.at("Policies");
    let documents = match properties.value("Policies")? {
        None => return Ok(Vec::new()),
        Some(Value::Sequence(documents)) => documents,
        Some(single) => vec![single],
    };
    let mut statements = Vec::new();
    for (i, document) in documents.iter().enumerate() {
        let path = format!("{path}[{i}]");
        if let Some(name) = document.as_str() {
            let known =
                WITHOUT_EFFECT.iter().any(|(known, _)| name.rsplit('/').next() == Some(known));
            ensure!(
                known,
                "{path}: the local cloud does not know the managed policy {name}; write its statements"
            );
            continue;
        }
        let mut document = properties.nested(path, document)?;
        document.without_effect(&[("Version", "there is one policy language")]);
        for statement in document.maps("Statement")? {
            statements.push(read_statement(statement)?);
        }
        if let Some(other) = document.keys().first() {
            bail!(
                "{}: the local cloud does not do this; policy templates are to be written as a Statement",
                document.at(other)
            );
        }
    }
    Ok(statements)
}

fn read_statement(mut statement: Properties<'_>) -> Result<Statement> {
    statement.only("Effect", &["Allow"])?;
    statement.without_effect(&[("Sid", "a name for people")]);
    let actions = statement.strings("Action")?;
    let resources = statement.strings("Resource")?;
    ensure!(!actions.is_empty(), "{}: missing", statement.at("Action"));
    ensure!(!resources.is_empty(), "{}: missing", statement.at("Resource"));
    let leading_keys = statement.map("Condition")?.map(read_condition).transpose()?;
    statement.finish()?;
    Ok(Statement { actions, resources, leading_keys })
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>
fn read_condition(mut condition: Properties<'_>) -> Result<Vec<String>> {
    let operators = condition.keys();
    let [operator] = operators.as_slice() else {
        bail!("{}: the local cloud does one condition", condition.path())
    };
    if !["ForAllValues:StringLike", "ForAllValues:StringEquals", "StringLike", "StringEquals"]
        .contains(&operator.as_str())
    {
        bail!("{}: the local cloud does not do this", condition.at(operator));
    }
    let mut keys = condition
        .map(operator)?
        .with_context(|| format!("{}: has no value", condition.at(operator)))?;
    let patterns = keys.strings("dynamodb:LeadingKeys")?;
    keys.finish()?;
    condition.finish()?;
    Ok(patterns)
}
