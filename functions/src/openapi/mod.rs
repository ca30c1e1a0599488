//! The types that API descriptions (OpenAPI 3.1) are made of. Each endpoint describes itself beside
//! its handler, with the types that it reads and writes, and [`document::build`] makes one document
//! of these descriptions. Nothing here knows an endpoint: the registry has the list of them.

mod answer;
mod components;
pub mod document;
mod operation;
mod schema;
mod text;

pub use answer::Answer;
pub use operation::Operation;
