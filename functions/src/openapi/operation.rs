//! One operation of the API description. Each endpoint describes its own beside its handler.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use shared::error::{Code, catalogue as c};

use super::answer::Answer;
use super::schema::{SchemaOf, subschema};
use crate::http::{Endpoint, FieldSet, Who};

/// A path parameter, or a header that only this operation has.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) location: &'static str,
    pub(super) description: &'static str,
    pub(super) schema: SchemaOf,
}

/// A request body: media types, schema and example.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) media_types: &'static [&'static str],
    pub(super) schema: SchemaOf,
    pub(super) example: Value,
    pub(super) required: bool,
}

/// An operation. Each method also adds what it implies: `query` adds the problem
/// `validation_failed`, `idempotent` adds the header `Idempotency-Key`, and so on.
#[derive(Debug, Clone)]
pub struct Operation {
    pub(super) endpoint: Endpoint,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) details: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    /// Shared parameters, by their names in the document's components.
    pub(super) shared_parameters: Vec<&'static str>,
    pub(super) query: Option<SchemaOf>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) problems: Vec<&'static Code>,
}

impl Operation {
    /// Starts the description of an endpoint. `summary` says in one line what it does.
    pub fn new(endpoint: &Endpoint, summary: &'static str) -> Self {
        let operation = Self {
            endpoint: *endpoint,
            id: "",
            summary,
            details: None,
            parameters: Vec::new(),
            shared_parameters: Vec::new(),
            query: None,
            body: None,
            answers: Vec::new(),
            problems: vec![&c::INTERNAL, &c::DATABASE_UNAVAILABLE],
        };
        match endpoint.who {
            Who::Anyone => operation,
            Who::OptionallySignedIn => operation.problems(&[&c::INVALID_TOKEN]),
            Who::User => {
                operation.problems(&[&c::UNAUTHENTICATED, &c::INVALID_TOKEN, &c::ACCOUNT_SUSPENDED])
            }
            Who::Client | Who::Worker | Who::Admin | Who::OrderParty(_) => operation.problems(&[
                &c::UNAUTHENTICATED,
                &c::INVALID_TOKEN,
                &c::ACCOUNT_SUSPENDED,
                &c::FORBIDDEN,
            ]),
        }
    }

    /// Sets the operation's id: the name of its function.
    pub fn named(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    /// Sets the long description (CommonMark).
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// Declares the path parameter `{id}`. A malformed id is a 404, like an unknown one.
    pub fn id<T: JsonSchema>(self) -> Self {
        self.path_parameter::<T>(
            "id",
            "The id of the resource. A malformed id is a 404, like an unknown one.",
        )
        .problems(&[&c::NOT_FOUND])
    }

    /// Declares a path parameter.
    pub fn path_parameter<T: JsonSchema>(
        mut self,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        self.parameters.push(Parameter {
            name,
            location: "path",
            description,
            schema: subschema::<T>,
        });
        self
    }

    /// Declares a required header that only this operation has.
    pub fn header<T: JsonSchema>(mut self, name: &'static str, description: &'static str) -> Self {
        self.parameters.push(Parameter {
            name,
            location: "header",
            description,
            schema: subschema::<T>,
        });
        self
    }

    /// Declares the query string, which is parsed as `T`.
    pub fn query<T: FieldSet + JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        let problems = self.problems(&[&c::VALIDATION_FAILED]);
        if T::NAMES.contains(&"cursor") {
            problems.problems(&[&c::INVALID_CURSOR])
        } else {
            problems
        }
    }

    /// Declares the JSON body, which is parsed as `T`. A body whose fields are all optional may be
    /// omitted.
    pub fn body<T: FieldSet + JsonSchema>(self, example: Value) -> Self {
        let required = T::json_schema(&mut SchemaGenerator::default()).get("required").is_some();
        self.body_of::<T>(&["application/json"], required, example)
    }

    /// Declares a body of these media types.
    pub fn body_of<T: JsonSchema>(
        mut self,
        media_types: &'static [&'static str],
        required: bool,
        example: Value,
    ) -> Self {
        self.body = Some(Body { media_types, schema: subschema::<T>, example, required });
        self.problems(&[
            &c::MALFORMED_REQUEST,
            &c::BODY_TOO_LARGE,
            &c::UNSUPPORTED_MEDIA_TYPE,
            &c::VALIDATION_FAILED,
        ])
    }

    /// Declares a successful response.
    pub fn answer(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// Declares that the endpoint honors `Idempotency-Key`. Call it after [`Operation::answer`].
    pub fn idempotent(mut self) -> Self {
        self.shared_parameters.push("IdempotencyKey");
        for answer in &mut self.answers {
            answer.headers.push("Idempotent-Replayed");
        }
        self.problems(&[&c::VALIDATION_FAILED, &c::IDEMPOTENCY_KEY_REUSED])
    }

    /// Declares that the endpoint honors `If-Match`.
    pub fn if_match(mut self) -> Self {
        self.shared_parameters.push("IfMatch");
        self.problems(&[&c::PRECONDITION_FAILED])
    }

    /// Declares that the endpoint honors `If-None-Match`.
    pub fn if_none_match(mut self) -> Self {
        self.shared_parameters.push("IfNoneMatch");
        self.answers.push(Answer::not_modified());
        self
    }

    /// Declares that the endpoint has a rate limit.
    pub fn rate_limited(self) -> Self {
        self.problems(&[&c::TOO_MANY_REQUESTS])
    }

    /// Declares that the endpoint needs no database.
    pub fn without_database(mut self) -> Self {
        self.problems.retain(|code| *code != &c::DATABASE_UNAVAILABLE);
        self
    }

    /// Adds problem codes. Codes implied by the caller, the parameters and the body are added
    /// automatically.
    pub fn problems(mut self, codes: &[&'static Code]) -> Self {
        for code in codes {
            if !self.problems.contains(code) {
                self.problems.push(code);
            }
        }
        self
    }
}
