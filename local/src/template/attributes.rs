//! The values of `Ref` and `Fn::GetAtt`: names and ARNs, known before anything is created.

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::resources;
use super::scope::{ACCOUNT, IMPLICIT_API, REGION, Scope};

impl Scope<'_> {
    /// Returns an attribute of a resource, or its `Ref` when `attribute` is `None`.
    ///
    /// # Errors
    /// When there is no such resource or attribute.
    pub(super) fn attribute(
        &self,
        logical_id: &str,
        attribute: Option<&str>,
        path: &str,
    ) -> Result<String> {
        if logical_id == IMPLICIT_API && !self.resources.contains_key(logical_id) {
            return api_attribute(logical_id, "https", attribute)
                .with_context(|| format!("{path}: {logical_id} has no such attribute"));
        }
        let resource = self.resources.get(logical_id).with_context(|| {
            format!("{path}: the template has no resource or parameter {logical_id}")
        })?;
        if let Some(condition) = resource.get("Condition").and_then(Value::as_str) {
            ensure!(
                self.condition(condition, path)?,
                "{path}: {logical_id} does not exist, because the condition {condition} is false"
            );
        }
        let resource_type = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        if !resources::is_known(resource_type) {
            // The resource itself is rejected, so references to it need no error of their own.
            return Ok(format!("{logical_id}.{}", attribute.unwrap_or("Ref")));
        }
        let name = |property| self.physical_name(logical_id, property);
        let arn =
            |service: &str, rest: &str| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
        Ok(match (resource_type, attribute) {
            ("AWS::Serverless::Function", None) => name("FunctionName")?,
            ("AWS::Serverless::Function", Some("Arn")) => {
                arn("lambda", &format!("function:{}", name("FunctionName")?))
            }
            ("AWS::DynamoDB::Table", None) => name("TableName")?,
            ("AWS::DynamoDB::Table", Some("Arn")) => {
                arn("dynamodb", &format!("table/{}", name("TableName")?))
            }
            // On AWS, the last part is the time when the stream was created. A template has no use
            // for it except to compare ARNs.
            ("AWS::DynamoDB::Table", Some("StreamArn")) => {
                arn("dynamodb", &format!("table/{}/stream/local", name("TableName")?))
            }
            ("AWS::SQS::Queue", None | Some("QueueUrl")) => {
                format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{}", name("QueueName")?)
            }
            ("AWS::SQS::Queue", Some("Arn")) => arn("sqs", &name("QueueName")?),
            ("AWS::SQS::Queue", Some("QueueName")) => name("QueueName")?,
            // On AWS, the ARN of a secret ends with six random characters.
            ("AWS::SecretsManager::Secret", None | Some("Id")) => {
                arn("secretsmanager", &format!("secret:{}-local0", name("Name")?))
            }
            ("AWS::Logs::LogGroup", None) => name("LogGroupName")?,
            ("AWS::Logs::LogGroup", Some("Arn")) => {
                arn("logs", &format!("log-group:{}:*", name("LogGroupName")?))
            }
            ("AWS::CloudWatch::Alarm", None) => name("AlarmName")?,
            ("AWS::CloudWatch::Alarm", Some("Arn")) => {
                arn("cloudwatch", &format!("alarm:{}", name("AlarmName")?))
            }
            (
                "AWS::Serverless::HttpApi"
                | "AWS::Serverless::WebSocketApi"
                | "AWS::ApiGatewayV2::Api",
                _,
            ) if api_attribute(logical_id, "", attribute).is_some() => {
                let protocol = resource
                    .get("Properties")
                    .and_then(|properties| properties.get("ProtocolType"));
                let websocket = resource_type == "AWS::Serverless::WebSocketApi"
                    || protocol.and_then(Value::as_str) == Some("WEBSOCKET");
                let scheme = if websocket { "wss" } else { "https" };
                api_attribute(logical_id, scheme, attribute).unwrap_or_default()
            }
            ("AWS::ApiGatewayV2::Stage", None) => name("StageName")?,
            (
                "AWS::ApiGatewayV2::Deployment"
                | "AWS::ApiGatewayV2::Integration"
                | "AWS::ApiGatewayV2::Route",
                None,
            ) => logical_id.to_owned(),
            ("AWS::Serverless::SimpleTable", None) => name("TableName")?,
            ("AWS::Serverless::SimpleTable", Some("Arn")) => {
                arn("dynamodb", &format!("table/{}", name("TableName")?))
            }
            ("AWS::Events::Rule", None) => name("Name")?,
            ("AWS::Events::Rule", Some("Arn")) => arn("events", &format!("rule/{}", name("Name")?)),
            ("AWS::IAM::Role", None) => name("RoleName")?,
            ("AWS::IAM::Role", Some("Arn")) => {
                format!("arn:aws:iam::{ACCOUNT}:role/{}", name("RoleName")?)
            }
            (_, Some(attribute)) => {
                bail!(
                    "{path}: the local cloud does not know the attribute {attribute} of \
                     {logical_id}"
                )
            }
            (other, None) => {
                bail!(
                    "{path}: the local cloud does not support !Ref {logical_id}, a reference to an \
                     {other}"
                )
            }
        })
    }

    /// Returns the name that a resource has in `property`, or its logical id.
    ///
    /// # Errors
    /// When the name refers to itself, or is not a string.
    pub(super) fn physical_name(&self, logical_id: &str, property: &str) -> Result<String> {
        let value = self
            .resources
            .get(logical_id)
            .and_then(|r| r.get("Properties"))
            .and_then(|p| p.get(property));
        let Some(value) = value else {
            return Ok(logical_id.to_owned());
        };
        let path = format!("Resources.{logical_id}.Properties.{property}");
        ensure!(self.name_depth.get() < 32, "{path}: the name refers to itself");
        self.name_depth.set(self.name_depth.get() + 1);
        let resolved = self.resolve(value, &path);
        self.name_depth.set(self.name_depth.get() - 1);
        match resolved? {
            Some(Value::String(name)) => Ok(name),
            None => Ok(logical_id.to_owned()),
            Some(_) => bail!("{path}: must be a string"),
        }
    }
}

/// Returns an attribute of an API, or its `Ref` when `attribute` is `None`. AWS generates the API's
/// id; here it is the logical id.
fn api_attribute(logical_id: &str, scheme: &str, attribute: Option<&str>) -> Option<String> {
    match attribute {
        None | Some("ApiId") => Some(logical_id.to_owned()),
        Some("ApiEndpoint") => {
            Some(format!("{scheme}://{logical_id}.execute-api.{REGION}.amazonaws.com"))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::template::scope::tests::with_scope;

    #[test]
    fn a_cycle_of_names_is_an_error() {
        let template = "
            Resources:
              A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !GetAtt B.QueueName}}
              B: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !GetAtt A.QueueName}}";
        let error = with_scope(template, |scope| scope.attribute("A", None, "Place").unwrap_err());
        assert!(error.to_string().ends_with("the name refers to itself"), "{error}");
    }

    #[test]
    fn a_reference_to_a_resource_whose_condition_is_false_is_an_error() {
        let template = "
            Conditions: {Never: !Equals [a, b]}
            Resources: {A: {Type: 'AWS::SQS::Queue', Condition: Never}}";
        let error = with_scope(template, |scope| scope.attribute("A", None, "Place").unwrap_err());
        assert_eq!(
            error.to_string(),
            "Place: A does not exist, because the condition Never is false"
        );
    }
}
