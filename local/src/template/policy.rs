//! `Policies` of a function: inline statements with `Effect: Allow`, and those managed policies and
//! SAM policy templates that concern the services of the local cloud.

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::model::Statement;
use super::properties::Properties;
use super::scope::{ACCOUNT, REGION};

const READ: [&str; 5] = [
    "dynamodb:GetItem",
    "dynamodb:Scan",
    "dynamodb:Query",
    "dynamodb:BatchGetItem",
    "dynamodb:DescribeTable",
];
const WRITE: [&str; 3] = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"];
const CHECK_AND_DELETE: [&str; 2] = ["dynamodb:ConditionCheckItem", "dynamodb:DeleteItem"];

/// Reads `Policies`: a policy document, the name of a policy, or a list of these.
///
/// # Errors
/// When a policy is malformed.
pub(super) fn read_policies(properties: &mut Properties<'_>) -> Result<Vec<Statement>> {
    let path = properties.at("Policies");
    let policies = match properties.value("Policies")? {
        None => return Ok(Vec::new()),
        Some(Value::Sequence(policies)) => policies,
        Some(single) => vec![single],
    };
    let mut statements = Vec::new();
    for (i, policy) in policies.iter().enumerate() {
        let key = format!("Policies[{i}]");
        if let Some(name) = policy.as_str() {
            statements.extend(managed(name, properties, &key));
            continue;
        }
        let mut policy = properties.nested(format!("{path}[{i}]"), policy)?;
        match template(&mut policy)? {
            Some(statement) => statements.push(statement),
            None => statements.extend(read_document(policy)?),
        }
    }
    Ok(statements)
}

/// Returns the statement of the managed policy with this name or ARN, or `None` if it only grants
/// permissions that are not checked here. Rejects an unknown policy at `key` of `properties`.
pub(super) fn managed(name: &str, properties: &Properties<'_>, key: &str) -> Option<Statement> {
    let (actions, resource) = match name.rsplit('/').next().unwrap_or(name) {
        // Locally, logs, traces and the streams that Lambda reads need no permission.
        "AmazonAPIGatewayPushToCloudWatchLogs"
        | "AWSLambdaBasicExecutionRole"
        | "AWSLambdaDynamoDBExecutionRole"
        | "AWSXRayDaemonWriteAccess"
        | "AWSXrayWriteOnlyAccess"
        | "CloudWatchLambdaInsightsExecutionRolePolicy" => return None,
        "AmazonDynamoDBFullAccess" | "AmazonDynamoDBFullAccess_v2" => (&["dynamodb:*"][..], "*"),
        "AmazonDynamoDBReadOnlyAccess" => (&READ[..], "*"),
        "AWSLambdaRole" => (&["lambda:InvokeFunction"][..], "*"),
        "AmazonAPIGatewayInvokeFullAccess" => (
            &["execute-api:Invoke", "execute-api:ManageConnections"][..],
            "arn:aws:execute-api:*:*:*",
        ),
        _ => {
            properties.reject(
                key,
                &format!(
                    "the local cloud does not know the managed policy {name}; \
                     write out its statements"
                ),
            );
            return None;
        }
    };
    Some(allow(actions, vec![resource.to_owned()]))
}

/// Returns the statement of a SAM policy template, or `None` if `policy` is a policy document.
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>
fn template(policy: &mut Properties<'_>) -> Result<Option<Statement>> {
    let Some(name) = policy.keys().into_iter().find(|key| key.ends_with("Policy")) else {
        return Ok(None);
    };
    let actions: Vec<&str> = match name.as_str() {
        "DynamoDBCrudPolicy" => [&READ[..], &WRITE, &CHECK_AND_DELETE].concat(),
        "DynamoDBReadPolicy" => READ.to_vec(),
        "DynamoDBWritePolicy" => WRITE.to_vec(),
        "LambdaInvokePolicy" => vec!["lambda:InvokeFunction"],
        _ => return Ok(None),
    };
    let Some(mut parameters) = policy.map(&name)? else { bail!("{}: missing", policy.at(&name)) };
    let arn = |service: &str, rest: String| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
    let resources = if name == "LambdaInvokePolicy" {
        let function = parameters.required("FunctionName")?;
        vec![arn("lambda", format!("function:{function}*"))]
    } else {
        let table = arn("dynamodb", format!("table/{}", parameters.required("TableName")?));
        vec![table.clone(), format!("{table}/index/*")]
    };
    parameters.finish();
    Ok(Some(allow(&actions, resources)))
}

fn allow(actions: &[&str], resources: Vec<String>) -> Statement {
    let actions = actions.iter().map(|action| (*action).to_owned()).collect();
    Statement { actions, resources, leading_keys: None }
}

/// Reads a policy document.
///
/// # Errors
/// When a statement has no action or no resource, or an unsupported condition.
pub(super) fn read_document(mut document: Properties<'_>) -> Result<Vec<Statement>> {
    document.without_effect(&[
        ("Version", "there is one policy language"),
        ("Id", "a name for people"),
    ]);
    let mut statements = Vec::new();
    for statement in document.maps("Statement")? {
        statements.push(read_statement(statement)?);
    }
    document.finish();
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
    statement.finish();
    Ok(Statement { actions, resources, leading_keys })
}

/// Returns the `dynamodb:LeadingKeys` patterns of a condition, the only supported one.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>
fn read_condition(mut condition: Properties<'_>) -> Result<Vec<String>> {
    let operators = condition.keys();
    let [operator] = operators.as_slice() else {
        bail!("{}: the local cloud supports one condition", condition.path())
    };
    if !["ForAllValues:StringLike", "ForAllValues:StringEquals", "StringLike", "StringEquals"]
        .contains(&operator.as_str())
    {
        bail!("{}: the local cloud does not support this", condition.at(operator));
    }
    let mut keys = condition
        .map(operator)?
        .with_context(|| format!("{}: has no value", condition.at(operator)))?;
    let patterns = keys.strings("dynamodb:LeadingKeys")?;
    keys.finish();
    condition.finish();
    Ok(patterns)
}
