//! API Gateway HTTP API.
