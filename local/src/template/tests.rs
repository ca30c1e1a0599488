//! Tests of whole templates, and of each refusal.

use std::time::Duration;

use super::model::{Cors, HttpRoute, SecretValue, Statement};
use super::*;

fn deployment() -> Deployment {
    Deployment { stack_name: "shop".into(), parameters: BTreeMap::new() }
}

/// Returns the error message for a template with these resources.
fn refusal(resources: &str) -> String {
    let error = read(&format!("Resources:\n{resources}"), &deployment()).expect_err("a refusal");
    without_line(&format!("{error:#}"))
}

/// Strips the line number from the end of a message about one place.
fn without_line(message: &str) -> String {
    message.rsplit_once(" (line ").map_or(message, |(message, _)| message).to_owned()
}

/// Returns the error message for a function with these properties besides the required ones.
fn function_refusal(properties: &str) -> String {
    refusal(&format!(
        "  F: {{Type: 'AWS::Serverless::Function', Properties: {{CodeUri: target/lambda/f/, Runtime: provided.al2023, {properties}}}}}"
    ))
}

const SHOP: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Origins: {Type: CommaDelimitedList, Default: "https://a.example, https://b.example"}
  PublicKey: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Globals:
  Function: {Runtime: provided.al2023, Handler: bootstrap, Timeout: 10, Environment: {Variables: {STAGE: !Ref Stage, KEY: !Ref PublicKey}}}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      TableName: !Sub "${AWS::StackName}-orders"
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Undelivered: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 60}}
  Cursor: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {PasswordLength: 64, ExcludePunctuation: true}}}
  Api: {Type: AWS::Serverless::HttpApi, Properties: {CorsConfiguration: {AllowOrigins: !Ref Origins, MaxAge: 600}}}
  Live:
    Type: AWS::Serverless::WebSocketApi
    Properties: {RouteSelectionExpression: $request.body.action, StageName: live, Routes: {$connect: {FunctionArn: !GetAtt Notify.Arn}}}
  OnlyInProduction: {Type: AWS::SNS::Topic, Condition: IsProd}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
  Create:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/orders-create/
      Environment: {Variables: {CURSOR: !Sub "{{resolve:secretsmanager:${Cursor}}}"}}
      Policies:
        - AWSLambdaBasicExecutionRole
        - Statement:
            - Effect: Allow
              Action: [dynamodb:GetItem, dynamodb:PutItem]
              Resource: [!GetAtt Orders.Arn, !Sub "${Orders.Arn}/index/*"]
              Condition: {"ForAllValues:StringLike": {dynamodb:LeadingKeys: ["ORDER#*"]}}
      Events:
        Http: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: post, Path: "/orders/{id}"}}
  Notify:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/notify
      MemorySize: 512
      ReservedConcurrentExecutions: 2
      Events:
        Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: cron(0 3 * * ? *), Input: '{"a": 1}'}}
        Never: {Type: Schedule, Properties: {Schedule: rate(1 minute), Enabled: false}}
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Orders.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumRetryAttempts: -1
            MaximumRecordAgeInSeconds: 60
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Undelivered.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}
"#;

#[test]
fn a_template_becomes_a_project() {
    let project = read(SHOP, &deployment()).unwrap();
    let [create, notify] = project.functions.as_slice() else { panic!("two functions") };
    assert_eq!(
        (create.name.as_str(), create.function_name.as_str(), create.handler.as_str()),
        ("orders-create", "Create", "bootstrap")
    );
    assert_eq!(create.arn, "arn:aws:lambda:us-east-1:000000000000:function:Create");
    assert_eq!(
        (create.timeout, create.memory_mb, create.reserved_concurrency),
        (Duration::from_secs(10), 128, None)
    );
    assert_eq!((notify.memory_mb, notify.reserved_concurrency), (512, Some(2)));
    let environment: Vec<_> =
        create.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        environment,
        [
            (
                "CURSOR",
                "{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:000000000000:secret:Cursor-local0}}"
            ),
            ("KEY", "{{resolve:parameter:PublicKey}}"),
            ("STAGE", "dev"),
        ]
    );
    let orders = "arn:aws:dynamodb:us-east-1:000000000000:table/shop-orders";
    assert_eq!(
        create.policy,
        [Statement {
            actions: vec!["dynamodb:GetItem".into(), "dynamodb:PutItem".into()],
            resources: vec![orders.into(), format!("{orders}/index/*")],
            leading_keys: Some(vec!["ORDER#*".into()]),
        }]
    );
    let [schedule] = notify.schedules.as_slice() else { panic!("one schedule is enabled") };
    assert_eq!(
        (schedule.name.as_str(), schedule.expression.as_str()),
        ("notify/Nightly", "cron(0 3 * * ? *)")
    );
    assert_eq!(schedule.input, Some(serde_json::json!({"a": 1})));
    let [stream] = notify.streams.as_slice() else { panic!("one stream") };
    assert_eq!(
        (stream.table.as_str(), stream.batch_size, stream.from_start, stream.parallelization),
        ("shop-orders", 10, true, 1)
    );
    assert_eq!((stream.max_retries, stream.max_age), (None, Some(Duration::from_secs(60))));
    assert_eq!(stream.filters, [serde_json::json!({"eventName": ["INSERT"]})]);
    assert!(stream.report_batch_item_failures && !stream.bisect);
    assert_eq!(
        stream.on_failure.as_deref(),
        Some("arn:aws:sqs:us-east-1:000000000000:Undelivered")
    );

    let api = project.http_api.unwrap();
    assert_eq!(
        api.routes,
        [HttpRoute {
            method: "POST".into(),
            path: "/orders/{id}".into(),
            function: "orders-create".into()
        }]
    );
    let allow_origins = vec!["https://a.example".into(), "https://b.example".into()];
    assert_eq!(api.cors, Some(Cors { allow_origins, max_age: Some(600), ..Cors::default() }));
    let live = project.websocket_api.unwrap();
    assert_eq!(
        (live.api_id.as_str(), live.stage.as_str(), live.route_selection.as_str()),
        ("Live", "live", "$request.body.action")
    );
    assert_eq!(live.routes, BTreeMap::from([("$connect".to_owned(), "notify".to_owned())]));

    let [table] = project.tables.as_slice() else { panic!("one table") };
    assert_eq!(
        (table.name.as_str(), table.ttl_attribute.as_deref()),
        ("shop-orders", Some("expires_at"))
    );
    assert_eq!(table.stream_view_type.as_deref(), Some("NEW_AND_OLD_IMAGES"));
    assert_eq!(
        table.properties["KeySchema"],
        serde_json::json!([{"AttributeName": "pk", "KeyType": "HASH"}])
    );
    let [secret] = project.secrets.as_slice() else { panic!("one secret") };
    assert!(
        matches!(&secret.value, SecretValue::Generated { length: 64, classes, object: None } if classes.len() == 3)
    );
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

#[test]
fn an_unsupported_resource_or_property_is_refused_by_name() {
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
            "  T: {Type: 'AWS::DynamoDB::Table', Properties: {BillingMode: PAY_PER_REQUEST, KeySchema: [{AttributeName: a, Colour: b}]}}",
            "Resources.T.Properties.KeySchema[0].Colour: the local cloud does not support this",
        ),
    ] {
        assert_eq!(refusal(resources), expected);
    }
    for (template, expected) in [
        (
            "{Rules: {}, Resources: {Q: {Type: 'AWS::SQS::Queue'}}}",
            "Rules: the local cloud does not support this",
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
fn an_unsupported_property_of_a_function_is_refused_by_name() {
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
        assert_eq!(function_refusal(properties), format!("Resources.F.Properties.{expected}"));
    }
}

/// A chat application that defines its API resource by resource, as most public templates do.
const CHAT: &str = r#"
Transform: [AWS::Serverless-2016-10-31]
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: Chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  SendRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Chat, RouteKey: send, AuthorizationType: NONE, Target: !Join [/, [integrations, !Ref SendInteg]]}
  SendInteg:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Chat
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Send.Arn}/invocations
  Deployment: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: [SendRoute], Properties: {ApiId: !Ref Chat}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {StageName: Prod, DeploymentId: !Ref Deployment, ApiId: !Ref Chat}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {}, ManagedPolicyArns: ["arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"]}
  Send:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: send/, Handler: x, Runtime: provided.al2023, Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Table}}]}
  Tidy: {Type: AWS::Serverless::Function, Properties: {CodeUri: tidy/, Handler: x, Runtime: provided.al2023, Role: !GetAtt Role.Arn}}
  SendPermission: {Type: AWS::Lambda::Permission, Properties: {Action: "lambda:InvokeFunction", FunctionName: !Ref Send, Principal: apigateway.amazonaws.com}}
  Hourly: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 hour), Targets: [{Id: tidy, Arn: !GetAtt Tidy.Arn}]}}
  TidyPermission: {Type: AWS::Lambda::Permission, Properties: {Action: "lambda:InvokeFunction", FunctionName: !GetAtt Tidy.Arn, Principal: events.amazonaws.com}}
  Alarms: {Type: AWS::CloudWatch::Alarm, Properties: {Anything: goes}}
"#;

#[test]
fn apis_rules_and_roles_may_be_separate_resources() {
    let project = read(CHAT, &deployment()).unwrap();
    let api = project.websocket_api.unwrap();
    assert_eq!(
        (api.stage.as_str(), api.route_selection.as_str()),
        ("Prod", "$request.body.action")
    );
    assert_eq!(api.routes, BTreeMap::from([("send".to_owned(), "send".to_owned())]));
    let [send, tidy] = project.functions.as_slice() else { panic!("two functions") };
    assert_eq!(send.policy[0].actions.len(), 10);
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/Table";
    assert_eq!(send.policy[0].resources, [table.to_owned(), format!("{table}/index/*")]);
    assert_eq!(tidy.policy[0].resources, ["*"]);
    assert_eq!(tidy.schedules[0].name, "tidy/Hourly");
    let expected =
        "Resources.Table.Properties.ProvisionedThroughput: not enforced: nothing is throttled here";
    assert_eq!(project.notes, [expected]);
}

#[test]
fn a_function_that_aws_could_not_invoke_is_refused() {
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
Rules: {}
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
  Rules: the local cloud does not support this (line 1)
  Resources.Photos: the local cloud does not support AWS::S3::Bucket (line 6)
  Resources.F.Properties.Runtime: the local cloud supports only provided.*, not nodejs20.x (line 12)
  Resources.F.Properties.Timeout: 901 is not between 1 and 900 (line 13)
  Resources.G.Properties.Events.Upload.Type: the local cloud does not support events of type S3 (line 22)
  Globals.Function.Layers: the local cloud does not support this (line 4)
  Resources.G.Properties.VpcConfig: the local cloud does not support this (line 19)"
    );
}

#[test]
fn a_function_takes_the_name_of_its_binary_unless_it_is_shared() {
    let function = |name: &str, code_uri: &str, metadata: &str| {
        format!(
            "  {name}: {{Type: 'AWS::Serverless::Function', Metadata: {{BuildMethod: rust-cargolambda, {metadata}}}, Properties: {{CodeUri: {code_uri}, Runtime: provided.al2023}}}}\n"
        )
    };
    let template = format!(
        "Resources:\n{}{}{}{}{}",
        function("Alone", "target/lambda/alone/", ""),
        function("First", "a/same", ""),
        function("Second", "b/same/", ""),
        function("Built", ".", "BuildProperties: {Binary: orders}"),
        function("Root", "./", ""),
    );
    let project = read(&template, &deployment()).unwrap();
    let names: Vec<_> =
        project.functions.iter().map(|f| (f.name.as_str(), f.binary.as_deref())).collect();
    assert_eq!(
        names,
        [
            ("alone", Some("alone")),
            ("First", Some("same")),
            ("Second", Some("same")),
            ("orders", Some("orders")),
            ("Root", None),
        ]
    );
}

#[test]
fn conflicting_resources_are_refused_by_name() {
    let function = |name: &str, code: &str, events: &str| {
        format!(
            "  {name}: {{Type: 'AWS::Serverless::Function', Properties: {{CodeUri: {code}, Runtime: provided.al2023, Events: {{{events}}}}}}}\n"
        )
    };
    let route = "E: {Type: HttpApi, Properties: {Path: /, Method: GET}}";
    assert_eq!(
        refusal(&(function("F", "f", route) + &function("G", "g", route))),
        "Resources.G.Properties.Events.E.Properties: GET / is also a route of f"
    );
    let stream = "E: {Type: DynamoDB, Properties: {Stream: 'arn:aws:dynamodb:r:a:table/t/stream/x', StartingPosition: LATEST}}";
    assert_eq!(refusal(&function("F", "f", stream)), "f/E: t is not a table of this template");
}
