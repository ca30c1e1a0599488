//! The rules of the marketplace: values that are valid by construction, and pure functions over
//! them.
//!
//! Nothing here awaits, does I/O or uses an SDK; time and randomness are parameters. All types
//! derive serde in `snake_case`: the store saves them as they are (`serde_dynamo`), and the
//! functions map them to their own response types.

pub mod error;
pub mod feed;
pub mod ids;
pub mod money;
pub mod order;
pub mod schema;
pub mod search;
pub mod service;
pub(crate) mod string_enum;
mod strings;
pub mod text;
pub mod user;
