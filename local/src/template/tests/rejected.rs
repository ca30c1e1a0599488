//! Tests of what is rejected, and of the messages.

use super::*;

/// Returns the error message for a template with these resources.
fn error_for(resources: &str) -> String {
    let error = read(&format!("Resources:\n{resources}"), &deployment()).expect_err("an error");
    without_line(&format!("{error:#}"))
}

/// Strips the line number from the end of a message about one place.
fn without_line(message: &str) -> String {
    message.rsplit_once(" (line ").map_or(message, |(message, _)| message).to_owned()
}

/// Returns the error message for a function with these properties besides the required ones.
fn error_for_function(properties: &str) -> String {
    error_for(&format!(
        "  F: {{Type: 'AWS::Serverless::Function', Properties: {{CodeUri: target/lambda/f/, Runtime: provided.al2023, {properties}}}}}"
    ))
}

#[test]
fn an_unsupported_resource_or_property_is_rejected_by_name() {
    for (resources, expected) in [
        (
            "  T: {Type: 'AWS::SNS::Topic'}",
            "Resources.T: the local cloud does not support AWS::SNS::Topic",
        ),
        (
            "  Q: {Type: 'AWS::SQS::Queue', UpdatePolicy: {}}",
            "Resources.Q.UpdatePolicy: the local cloud does not support this",
        ),
        (
            "  Q: {Type: 'AWS::SQS::Queue', Properties: {FifoQueue: true}}",
            "Resources.Q.Properties.FifoQueue: the local cloud does not support this",
        ),
        (
            "  S: {Type: 'AWS::SecretsManager::Secret', Properties: {ReplicaRegions: []}}",
            "Resources.S.Properties.ReplicaRegions: the local cloud does not support this",
        ),
        (
            "  A: {Type: 'AWS::Serverless::HttpApi', Properties: {Auth: {}}}",
            "Resources.A.Properties.Auth: the local cloud does not support this",
        ),
        (
            "  A: {Type: 'AWS::Serverless::HttpApi', Properties: {StageName: prod}}",
            "Resources.A.Properties.StageName: the local cloud supports only $default, not prod",
        ),
        (
            "  A: {Type: 'AWS::Serverless::WebSocketApi', Properties: {RouteSelectionExpression: x, Routes: {$connect: {FunctionArn: y}}}}",
            "Resources.A.Properties.Routes.$connect.FunctionArn: y is not a function of this template",
        ),
        (
            "  T: {Type: 'AWS::DynamoDB::Table', Properties: {BillingMode: PAY_PER_REQUEST, KeySchema: [{AttributeName: a, Color: b}]}}",
            "Resources.T.Properties.KeySchema[0].Color: the local cloud does not support this",
        ),
    ] {
        assert_eq!(error_for(resources), expected);
    }
    for (template, expected) in [
        (
            "{Hooks: {}, Resources: {Q: {Type: 'AWS::SQS::Queue'}}}",
            "Hooks: the local cloud does not support this",
        ),
        (
            "{Transform: [A, B], Resources: {}}",
            "Transform: the local cloud supports only AWS::Serverless-2016-10-31",
        ),
        ("{Resources: {}}", "Resources: missing"),
        (
            "{Parameters: {P: {Type: List<String>, Default: x}}}",
            "Parameters.P.Type: the local cloud does not support List<String>",
        ),
    ] {
        let error = format!("{:#}", read(template, &deployment()).unwrap_err());
        assert_eq!(without_line(&error), expected);
    }
}

#[test]
fn an_unsupported_property_of_a_function_is_rejected_by_name() {
    for (properties, expected) in [
        ("VpcConfig: {}", "VpcConfig: the local cloud does not support this"),
        ("Timeout: 901", "Timeout: 901 is not between 1 and 900"),
        ("PackageType: Image", "PackageType: the local cloud supports only Zip, not Image"),
        ("FunctionName: !Ref P", "FunctionName: the template has no resource or parameter P"),
        (
            "Environment: {Variables: {AWS_REGION: x}}",
            "Environment.Variables.AWS_REGION: the name is reserved by Lambda",
        ),
        (
            "Environment: {Secrets: {}}",
            "Environment.Secrets: the local cloud does not support this",
        ),
        (
            "Policies: AdministratorAccess",
            "Policies[0]: the local cloud does not know the managed policy AdministratorAccess; write out its statements",
        ),
        (
            "Policies: [{S3ReadPolicy: {BucketName: b}}]",
            "Policies[0].S3ReadPolicy: the local cloud does not support this",
        ),
        (
            "Policies: [{Statement: [{Effect: Deny, Action: a, Resource: b}]}]",
            "Policies[0].Statement[0].Effect: the local cloud supports only Allow, not Deny",
        ),
        (
            "Policies: [{Statement: [{Effect: Allow, Action: a, NotResource: b}]}]",
            "Policies[0].Statement[0].Resource: missing",
        ),
        (
            "Policies: [{Statement: [{Effect: Allow, Action: a, Resource: b, Condition: {Bool: {x: y}}}]}]",
            "Policies[0].Statement[0].Condition.Bool: the local cloud does not support this",
        ),
        (
            "Events: {E: {Type: S3, Properties: {}}}",
            "Events.E.Type: the local cloud does not support events of type S3",
        ),
        (
            "Events: {E: {Type: HttpApi, Properties: {Path: /, Method: GET, Auth: {}}}}",
            "Events.E.Properties.Auth: the local cloud does not support this",
        ),
        (
            "Events: {E: {Type: Schedule, Properties: {Schedule: rate(1 day), RetryPolicy: {}}}}",
            "Events.E.Properties.RetryPolicy: the local cloud does not support this",
        ),
        (
            "Events: {E: {Type: DynamoDB, Properties: {Stream: x, StartingPosition: LATEST}}}",
            "Events.E.Properties.Stream: x is not the stream of a table",
        ),
    ] {
        assert_eq!(error_for_function(properties), format!("Resources.F.Properties.{expected}"));
    }
}

#[test]
fn a_function_that_aws_could_not_invoke_is_rejected() {
    for (permission, place) in [
        ("SendPermission", "Resources.SendInteg.Properties.IntegrationUri: Send"),
        ("TidyPermission", "Resources.Hourly.Properties.Targets[0].Arn: Tidy"),
    ] {
        let template = CHAT
            .replace(&format!("  {permission}:"), "  Other: {Type: 'AWS::Logs::LogGroup'}\n  # ");
        let error = read(&template, &deployment()).unwrap_err().to_string();
        let expected = format!("{place} has no AWS::Lambda::Permission for ");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn everything_unsupported_is_named_at_once_with_its_line() {
    let template = "\
Hooks: {}
Globals:
  Function:
    Layers: [a]
Resources:
  Photos:
    Type: AWS::S3::Bucket
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: f/
      Runtime: nodejs20.x
      Timeout: 901
  G:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: g/
      Runtime: provided.al2023
      VpcConfig: {}
      Environment: {Variables: {PHOTOS: !Ref Photos, TOPIC: !GetAtt Photos.Arn}}
      Events:
        Upload: {Type: S3, Properties: {}}
";
    assert_eq!(
        read(template, &deployment()).unwrap_err().to_string(),
        "7 places:
  Hooks: the local cloud does not support this (line 1)
  Resources.Photos: the local cloud does not support AWS::S3::Bucket (line 6)
  Resources.F.Properties.Runtime: the local cloud supports only provided.*, not nodejs20.x (line 12)
  Resources.F.Properties.Timeout: 901 is not between 1 and 900 (line 13)
  Resources.G.Properties.Events.Upload.Type: the local cloud does not support events of type S3 (line 22)
  Globals.Function.Layers: the local cloud does not support this (line 4)
  Resources.G.Properties.VpcConfig: the local cloud does not support this (line 19)"
    );
}

#[test]
fn conflicting_resources_are_rejected_by_name() {
    let function = |name: &str, code: &str, events: &str| {
        format!(
            "  {name}: {{Type: 'AWS::Serverless::Function', Properties: {{CodeUri: {code}, Runtime: provided.al2023, Events: {{{events}}}}}}}\n"
        )
    };
    let route = "E: {Type: HttpApi, Properties: {Path: /, Method: GET}}";
    assert_eq!(
        error_for(&(function("F", "f", route) + &function("G", "g", route))),
        "Resources.G.Properties.Events.E.Properties: GET / is also a route of f"
    );
    let stream = "E: {Type: DynamoDB, Properties: {Stream: 'arn:aws:dynamodb:r:a:table/t/stream/x', StartingPosition: LATEST}}";
    assert_eq!(error_for(&function("F", "f", stream)), "f/E: t is not a table of this template");
}

#[test]
fn a_parameter_accepts_only_its_allowed_values() {
    let with_stage = |value: &str| Deployment {
        stack_name: "shop".into(),
        parameters: [("Stage".to_owned(), value.to_owned())].into(),
    };
    let message = |value| format!("{:#}", read(SHOP, &with_stage(value)).unwrap_err());
    assert_eq!(
        message("prod"),
        "Resources.OnlyInProduction: the local cloud does not support AWS::SNS::Topic (line 28)"
    );
    assert_eq!(message("test"), "Parameters.Stage: test is not one of dev, prod");
    let unknown =
        Deployment { parameters: [("Nobody".to_owned(), String::new())].into(), ..deployment() };
    assert_eq!(
        format!("{:#}", read(SHOP, &unknown).unwrap_err()),
        "a value was given for Nobody, but Parameters has no Nobody"
    );
}
