//! The JSON Schemas of the description, made from Rust types.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Generates a type's schema. Called when the document is built.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Returns the schema of a type: a reference to the document's components, or the schema itself if
/// the type is inlined.
pub(super) fn subschema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
