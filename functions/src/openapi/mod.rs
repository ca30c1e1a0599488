//! The vocabulary of the API description (OpenAPI 3.1). Each endpoint describes itself beside its
//! handler, with the types that it reads and writes; [`document::of`] puts the descriptions
//! together. Nothing here knows an endpoint: the registry has the list of them.

mod answer;
mod components;
pub mod document;
mod operation;
mod schema;
mod text;

pub use answer::Answer;
pub use operation::Operation;
