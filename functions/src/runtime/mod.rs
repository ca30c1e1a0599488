//! How a function starts and what starts it: the context that a handler works with, the kinds of
//! event, the deadline of an invocation. Nothing here knows an area of the product.

pub mod context;
pub(crate) mod deadline;
pub mod events;
pub(crate) mod start;
pub(crate) mod sweep;
