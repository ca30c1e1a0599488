//! Tests of whole templates.

mod rejected;

use std::time::Duration;

use super::model::{Cors, HttpRoute, SecretValue, Statement};
use super::*;

fn deployment() -> Deployment {
    Deployment { stack_name: "shop".into(), parameters: BTreeMap::new() }
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
