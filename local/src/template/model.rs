//! The project that a template describes, with every intrinsic resolved. The other modules work
//! with these types.

use std::collections::BTreeMap;
use std::time::Duration;

/// Everything the local cloud has to provide.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Functions, in the order of the template.
    pub functions: Vec<Function>,
    /// The HTTP API, when the template has one.
    pub http_api: Option<HttpApi>,
    /// The WebSocket API, when the template has one.
    pub websocket_api: Option<WebSocketApi>,
    /// DynamoDB tables.
    pub tables: Vec<Table>,
    /// SQS queues: only as on-failure destinations of event source mappings.
    pub queues: Vec<Queue>,
    /// Secrets, for `{{resolve:secretsmanager:...}}` in a function's environment.
    pub secrets: Vec<Secret>,
    /// Differences from AWS, one sentence each.
    pub notes: Vec<String>,
}

/// One `AWS::Serverless::Function`.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name that all other modules use for the function: its binary's name, or its logical id
    /// if it has no binary name or shares it with another function.
    pub name: String,
    /// The resource's key in the template.
    pub logical_id: String,
    /// `CodeUri`, as written in the template.
    pub code_uri: String,
    /// The name of its binary: `Metadata.BuildProperties.Binary`, or the last part of `CodeUri`
    /// (`orders-create` for `target/lambda/orders-create/`). `None` if neither gives a name, as
    /// with `CodeUri: .`.
    pub binary: Option<String>,
    /// `FunctionName`, or the logical id.
    pub function_name: String,
    /// `arn:aws:lambda:<region>:<account>:function:<function_name>`.
    pub arn: String,
    /// `Handler`, which Lambda passes as `_HANDLER`.
    pub handler: String,
    /// `Environment.Variables`. Only `{{resolve:...}}` is left, for [`crate::environment`] to
    /// resolve.
    pub environment: BTreeMap<String, String>,
    /// `Timeout`.
    pub timeout: Duration,
    /// `MemorySize` in MB.
    pub memory_mb: u32,
    /// `ReservedConcurrentExecutions`: the number of invocations at once before throttling.
    pub reserved_concurrency: Option<u32>,
    /// The statements of its role.
    pub policy: Vec<Statement>,
    /// Streams it consumes.
    pub streams: Vec<StreamMapping>,
    /// Schedules that invoke it.
    pub schedules: Vec<Schedule>,
}

/// One IAM policy statement with `Effect: Allow` (statements with another effect are rejected).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Actions, such as `dynamodb:GetItem`. `*` and `?` are wildcards, as in IAM.
    pub actions: Vec<String>,
    /// Resource ARNs, resolved. `*` and `?` are wildcards, as in IAM.
    pub resources: Vec<String>,
    /// `dynamodb:LeadingKeys` patterns (`ForAllValues:StringLike` or `StringEquals`), when the
    /// statement has that condition.
    pub leading_keys: Option<Vec<String>>,
}

/// A DynamoDB stream that feeds a function (`Type: DynamoDB` event).
#[derive(Debug, Clone)]
pub struct StreamMapping {
    /// A name for the log: `<function>/<event key>`.
    pub name: String,
    /// The table whose stream it is (its name, not its logical id).
    pub table: String,
    /// `BatchSize`, 100 by default.
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`.
    pub batch_window: Duration,
    /// Whether `StartingPosition` is `TRIM_HORIZON`; otherwise it is `LATEST`.
    pub from_start: bool,
    /// `FilterCriteria` patterns. A record passes if one of them matches, or if the list is empty.
    pub filters: Vec<serde_json::Value>,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// Whether `FunctionResponseTypes` contains `ReportBatchItemFailures`.
    pub report_batch_item_failures: bool,
    /// `MaximumRetryAttempts`, or `None` for no limit.
    pub max_retries: Option<u32>,
    /// `MaximumRecordAgeInSeconds`, or `None` if only the stream's own limit (24 h) applies.
    pub max_age: Option<Duration>,
    /// `ParallelizationFactor`, 1 by default.
    pub parallelization: usize,
    /// `DestinationConfig.OnFailure.Destination`: the ARN of a queue in [`Project::queues`].
    pub on_failure: Option<String>,
}

/// A `Type: Schedule` or `ScheduleV2` event.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// A name for the log: `<function>/<event key>`.
    pub name: String,
    /// `rate(...)` or `cron(...)`, as written.
    pub expression: String,
    /// `Input`. Without it, the function gets EventBridge's scheduled event.
    pub input: Option<serde_json::Value>,
}

/// The `AWS::Serverless::HttpApi`.
#[derive(Debug, Clone, Default)]
pub struct HttpApi {
    /// Its logical id, which is also the API id.
    pub api_id: String,
    /// The routes, from the functions' `HttpApi` events.
    pub routes: Vec<HttpRoute>,
    /// `CorsConfiguration`.
    pub cors: Option<Cors>,
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// `GET`, `POST`, ... or `ANY`.
    pub method: String,
    /// The path, such as `/orders/{id}`. A last part `{name+}` is greedy.
    pub path: String,
    /// The function's [`Function::name`].
    pub function: String,
}

/// `CorsConfiguration` of the HTTP API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// `AllowOrigins`.
    pub allow_origins: Vec<String>,
    /// `AllowMethods`.
    pub allow_methods: Vec<String>,
    /// `AllowHeaders`.
    pub allow_headers: Vec<String>,
    /// `ExposeHeaders`.
    pub expose_headers: Vec<String>,
    /// `MaxAge` in seconds.
    pub max_age: Option<u64>,
    /// `AllowCredentials`.
    pub allow_credentials: bool,
}

/// The `AWS::Serverless::WebSocketApi`.
#[derive(Debug, Clone, Default)]
pub struct WebSocketApi {
    /// Its logical id, which is also the API id.
    pub api_id: String,
    /// `StageName`.
    pub stage: String,
    /// `RouteSelectionExpression`, such as `$request.body.action`.
    pub route_selection: String,
    /// The [`Function::name`] for each route key (`$connect`, `$disconnect`, `$default`, custom).
    pub routes: BTreeMap<String, String>,
}

/// An `AWS::DynamoDB::Table`.
#[derive(Debug, Clone)]
pub struct Table {
    /// `TableName`, or the logical id.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The resolved `Properties` in CloudFormation's shape, which is nearly that of `CreateTable`:
    /// `KeySchema`, `AttributeDefinitions`, `GlobalSecondaryIndexes`, `BillingMode`,
    /// `StreamSpecification`, ...
    pub properties: serde_json::Value,
    /// `TimeToLiveSpecification.AttributeName`, when enabled.
    pub ttl_attribute: Option<String>,
    /// `StreamSpecification.StreamViewType`, when the table has a stream.
    pub stream_view_type: Option<String>,
}

/// An `AWS::SQS::Queue`.
#[derive(Debug, Clone)]
pub struct Queue {
    /// `QueueName`, or the logical id.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

/// An `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone)]
pub struct Secret {
    /// `Name`, or the logical id.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Where its value comes from.
    pub value: SecretValue,
}

/// Where the value of a [`Secret`] comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretValue {
    /// `SecretString`, as written.
    Given(String),
    /// `GenerateSecretString`: generated in the first run, and reused in later runs.
    Generated {
        /// `PasswordLength`.
        length: usize,
        /// The classes of characters. The value has at least one character of each.
        classes: Vec<String>,
        /// `SecretStringTemplate`, a JSON object, and `GenerateStringKey`, the key under which the
        /// password is added to it.
        object: Option<(serde_json::Map<String, serde_json::Value>, String)>,
    },
    /// The template gives no value. Someone sets it by hand after the deployment.
    Unset,
}

impl Project {
    /// Returns the function with this name, logical id, deployed name or ARN.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|f| {
            [&f.name, &f.logical_id, &f.function_name, &f.arn].into_iter().any(|n| n == name)
        })
    }
}
