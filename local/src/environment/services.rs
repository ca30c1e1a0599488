//! The addresses of a run's services, as functions see them.

use std::collections::BTreeMap;

/// The addresses of this run's services, for functions and for `${LOCAL_...}` in overrides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Services {
    /// `${LOCAL_HTTP}`: the HTTP API.
    pub(crate) http: String,
    /// `${LOCAL_WS}`: the WebSocket API.
    pub(crate) ws: String,
    /// `${LOCAL_CONNECTIONS}`: `@connections` of the WebSocket API.
    pub(crate) connections: String,
    /// `${LOCAL_DYNAMODB}`: DynamoDB.
    pub(crate) dynamodb: String,
    /// `${LOCAL_STRIPE}`: the stand-in for Stripe, if it runs.
    pub(crate) stripe: Option<String>,
    /// `${LOCAL_WEBHOOK_SECRET}`: the secret that the stand-in for Stripe signs webhooks with.
    pub(crate) webhook_secret: Option<String>,
    /// The Lambda Invoke API.
    pub(crate) invoke: String,
    /// The region and credentials of AWS, if functions use the real DynamoDB.
    pub(crate) aws: Option<Aws>,
}

/// The developer's own access to AWS, for functions that use it.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    /// The region of the tables.
    pub(crate) region: String,
    /// `AWS_ACCESS_KEY_ID` and related variables, from the local cloud's own environment.
    pub(crate) credentials: BTreeMap<String, String>,
}
