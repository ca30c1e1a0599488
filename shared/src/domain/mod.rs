//! The rules of the marketplace: values that cannot be wrong, and pure functions over them.
//!
//! Nothing here awaits, does I/O or knows of an SDK; time and randomness are parameters. Everything
//! derives serde in `snake_case`: the store keeps these types as they are (`serde_dynamo`), the
//! edge maps them to its own response shapes.

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
