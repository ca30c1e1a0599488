//! The successful responses of an operation.

use schemars::JsonSchema;

use super::schema::{SchemaOf, subschema};
use crate::http::page::List;

/// A successful response.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) media_types: Vec<&'static str>,
    pub(super) schema: Option<SchemaOf>,
    /// Names of headers in the document's components.
    pub(super) headers: Vec<&'static str>,
}

impl Answer {
    fn json<T: JsonSchema>(status: u16, description: &'static str) -> Self {
        Self {
            media_types: vec!["application/json"],
            schema: Some(subschema::<T>),
            ..Self::empty(status, description)
        }
    }

    fn empty(status: u16, description: &'static str) -> Self {
        Self { status, description, media_types: Vec::new(), schema: None, headers: Vec::new() }
    }

    /// 200.
    pub fn ok<T: JsonSchema>(description: &'static str) -> Self {
        Self::json::<T>(200, description)
    }

    /// 200 with a page of a list.
    pub fn page<T: JsonSchema>(description: &'static str) -> Self {
        Self::ok::<List<T>>(description).with_header("Link")
    }

    /// 200 with a body of this media type.
    pub fn content(media_type: &'static str, description: &'static str) -> Self {
        Self {
            media_types: vec![media_type],
            schema: Some(subschema::<String>),
            ..Self::empty(200, description)
        }
    }

    /// Adds another media type that the body may have.
    pub fn or_content(mut self, media_type: &'static str) -> Self {
        self.media_types.push(media_type);
        self
    }

    /// 201 with the new resource.
    pub fn created<T: JsonSchema>(description: &'static str) -> Self {
        Self::json::<T>(201, description).with_header("Location")
    }

    /// 202.
    pub fn accepted<T: JsonSchema>(description: &'static str) -> Self {
        Self::json::<T>(202, description)
    }

    /// 204.
    pub fn no_content(description: &'static str) -> Self {
        Self::empty(204, description)
    }

    /// 304.
    pub(super) fn not_modified() -> Self {
        Self::empty(304, "Not modified: `If-None-Match` names the current version.").etag()
    }

    /// Adds the `ETag` header.
    pub fn etag(self) -> Self {
        self.with_header("ETag")
    }

    /// Adds a header, by its name in the document's components.
    pub fn with_header(mut self, header: &'static str) -> Self {
        self.headers.push(header);
        self
    }
}
