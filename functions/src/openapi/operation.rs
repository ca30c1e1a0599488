//! One operation of the API description: each endpoint states its own, beside its handler.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use shared::error::{Code, catalogue as c};

use super::answer::Answer;
use super::schema::{SchemaOf, subschema};
use crate::http::{Endpoint, FieldSet, Who};

/// A parameter of the path, or of a header that is the operation's own.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) location: &'static str,
    pub(super) description: &'static str,
    pub(super) schema: SchemaOf,
}

/// What a body may be: its media types, its schema, an example.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) media_types: &'static [&'static str],
    pub(super) schema: SchemaOf,
    pub(super) example: Value,
    pub(super) required: bool,
}

/// An operation. What every operation shares is added by the methods that say what it is: one with
/// a query can be 422, one that is idempotent takes an `Idempotency-Key`, and so on.
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
    /// Starts the description of an endpoint: what it does, in one line.
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
            Who::AnyoneOrUser => operation.problems(&[&c::INVALID_TOKEN]),
            Who::User => {
                operation.problems(&[&c::UNAUTHENTICATED, &c::INVALID_TOKEN, &c::ACCOUNT_SUSPENDED])
            }
            Who::Client | Who::Worker | Who::Admin | Who::OrderClient | Who::OrderWorker => {
                operation.problems(&[
                    &c::UNAUTHENTICATED,
                    &c::INVALID_TOKEN,
                    &c::ACCOUNT_SUSPENDED,
                    &c::FORBIDDEN,
                ])
            }
        }
    }

    /// Sets its id: the name of its function.
    pub fn named(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    /// More than one line about it (CommonMark).
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The `{id}` in its path. One that is none is 404, like one that nothing has.
    pub fn id<T: JsonSchema>(self) -> Self {
        self.path_parameter::<T>("id", "Which one.").problems(&[&c::NOT_FOUND])
    }

    /// A parameter of its path.
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

    /// A header that only this operation takes, and needs.
    pub fn header<T: JsonSchema>(mut self, name: &'static str, description: &'static str) -> Self {
        self.parameters.push(Parameter {
            name,
            location: "header",
            description,
            schema: subschema::<T>,
        });
        self
    }

    /// What its query string is read into.
    pub fn query<T: FieldSet + JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        let problems = self.problems(&[&c::VALIDATION_FAILED]);
        if T::NAMES.contains(&"cursor") {
            problems.problems(&[&c::INVALID_CURSOR])
        } else {
            problems
        }
    }

    /// What its JSON body is read into, with an example. A body whose fields are all optional may
    /// be left out.
    pub fn body<T: FieldSet + JsonSchema>(self, example: Value) -> Self {
        let required = T::json_schema(&mut SchemaGenerator::default()).get("required").is_some();
        self.body_of::<T>(&["application/json"], required, example)
    }

    /// A body of these media types.
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

    /// Its success.
    pub fn answer(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// It honours `Idempotency-Key`. Say it after [`Operation::answer`].
    pub fn idempotent(mut self) -> Self {
        self.shared_parameters.push("IdempotencyKey");
        for answer in &mut self.answers {
            answer.headers.push("Idempotent-Replayed");
        }
        self.problems(&[&c::VALIDATION_FAILED, &c::IDEMPOTENCY_KEY_REUSED])
    }

    /// It honours `If-Match`.
    pub fn if_match(mut self) -> Self {
        self.shared_parameters.push("IfMatch");
        self.problems(&[&c::PRECONDITION_FAILED])
    }

    /// It honours `If-None-Match`.
    pub fn if_none_match(mut self) -> Self {
        self.shared_parameters.push("IfNoneMatch");
        self.answers.push(Answer::not_modified());
        self
    }

    /// It has a limit of its own.
    pub fn limited(self) -> Self {
        self.problems(&[&c::TOO_MANY_REQUESTS])
    }

    /// It needs no database.
    pub fn without_database(mut self) -> Self {
        self.problems.retain(|code| *code != &c::DATABASE_UNAVAILABLE);
        self
    }

    /// The errors that are its own: what its caller, its parameters, its body and so on bring along
    /// is there already.
    pub fn problems(mut self, codes: &[&'static Code]) -> Self {
        for code in codes {
            if !self.problems.contains(code) {
                self.problems.push(code);
            }
        }
        self
    }
}
