//! What a template describes, with every intrinsic resolved. The rest of this crate works with these
//! types.

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
    /// Secrets, which `{{resolve:secretsmanager:...}}` in a function's environment may name.
    pub secrets: Vec<Secret>,
    /// What is served with a difference to AWS, one sentence each.
    pub notes: Vec<String>,
}

/// One `AWS::Serverless::Function`.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name by which every other module knows the function: its binary's name, or its logical
    /// id when it has no binary name or shares it with another function.
    pub name: String,
    /// The resource's key in the template.
    pub logical_id: String,
    /// `CodeUri`, as the template has it.
    pub code_uri: String,
    /// The name of its binary: `Metadata.BuildProperties.Binary`, or else the last part of
    /// `CodeUri` (`target/lambda/orders-create/` is `orders-create`). `None` when neither gives a
    /// name, as with `CodeUri: .`.
    pub binary: Option<String>,
    /// `FunctionName` as deployed; the logical id when the template gives none.
    pub function_name: String,
    /// `arn:aws:lambda:<region>:<account>:function:<function_name>`.
    pub arn: String,
    /// `Handler`: what Lambda gives as `_HANDLER`.
    pub handler: String,
    /// `Environment.Variables`, resolved but for `{{resolve:...}}`, which [`crate::environment`]
    /// does.
    pub environment: BTreeMap<String, String>,
    /// `Timeout`.
    pub timeout: Duration,
    /// `MemorySize` in MB.
    pub memory_mb: u32,
    /// `ReservedConcurrentExecutions`: more invocations at once are throttled.
    pub reserved_concurrency: Option<u32>,
    /// What its role may do.
    pub policy: Vec<Statement>,
    /// Streams it consumes.
    pub streams: Vec<StreamMapping>,
    /// Schedules that invoke it.
    pub schedules: Vec<Schedule>,
}

/// One IAM policy statement with `Effect: Allow` (others are refused by name).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Actions, such as `dynamodb:GetItem`; `*` and `?` are wildcards as in IAM.
    pub actions: Vec<String>,
    /// Resource ARNs, resolved; `*` and `?` are wildcards as in IAM.
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
    /// `BatchSize` (100 unless given).
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`.
    pub batch_window: Duration,
    /// `StartingPosition` is `TRIM_HORIZON`; otherwise `LATEST`.
    pub from_start: bool,
    /// `FilterCriteria` patterns: a record passes when one of them matches; all pass when empty.
    pub filters: Vec<serde_json::Value>,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// `FunctionResponseTypes` holds `ReportBatchItemFailures`.
    pub report_batch_item_failures: bool,
    /// `MaximumRetryAttempts`; `None` is without end.
    pub max_retries: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; `None` is until the stream trims (24 h).
    pub max_age: Option<Duration>,
    /// `ParallelizationFactor` (1 unless given).
    pub parallelization: usize,
    /// `DestinationConfig.OnFailure.Destination`: an ARN of a queue in [`Project::queues`].
    pub on_failure: Option<String>,
}

/// A `Type: Schedule` or `ScheduleV2` event.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// A name for the log: `<function>/<event key>`.
    pub name: String,
    /// `rate(...)` or `cron(...)`, as written.
    pub expression: String,
    /// `Input`, when the template gives one; otherwise the scheduled event of EventBridge is sent.
    pub input: Option<serde_json::Value>,
}

/// The `AWS::Serverless::HttpApi`.
#[derive(Debug, Clone, Default)]
pub struct HttpApi {
    /// Its resource key, which doubles as the API id.
    pub api_id: String,
    /// Routes, as the functions' `HttpApi` events give them.
    pub routes: Vec<HttpRoute>,
    /// `CorsConfiguration`.
    pub cors: Option<Cors>,
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// `GET`, `POST`, ... or `ANY`.
    pub method: String,
    /// `/orders/{id}`; a last part `{name+}` is greedy.
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
    /// Its resource key, which doubles as the API id.
    pub api_id: String,
    /// `StageName`.
    pub stage: String,
    /// `RouteSelectionExpression`, such as `$request.body.action`.
    pub route_selection: String,
    /// Route key (`$connect`, `$disconnect`, `$default`, custom) to [`Function::name`].
    pub routes: BTreeMap<String, String>,
}

/// An `AWS::DynamoDB::Table`.
#[derive(Debug, Clone)]
pub struct Table {
    /// `TableName`, or the logical id when the template gives none.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The `Properties` with intrinsics resolved, in CloudFormation's shape: `KeySchema`,
    /// `AttributeDefinitions`, `GlobalSecondaryIndexes`, `BillingMode`, `StreamSpecification`, ...
    /// which is nearly that of `CreateTable`.
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
    /// `GenerateSecretString`: generated once, and then kept.
    Generated {
        /// `PasswordLength`.
        length: usize,
        /// The characters it is made of; at least one of each class.
        classes: Vec<String>,
        /// `SecretStringTemplate` (a JSON object) and `GenerateStringKey`: the object and where the
        /// password goes.
        object: Option<(serde_json::Map<String, serde_json::Value>, String)>,
    },
    /// Set by hand after the deployment.
    Unset,
}

impl Project {
    /// The function of that name, logical id, deployed name or ARN.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|f| {
            [&f.name, &f.logical_id, &f.function_name, &f.arn].into_iter().any(|n| n == name)
        })
    }
}
