//! Builds the OpenAPI 3.1 document from the operations.

use std::collections::BTreeMap;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use shared::domain::user::Role;
use shared::error::{Code, Kind};

use super::operation::{Operation, Parameter};
use super::{answer::Answer, components, text};
use crate::http::{Who, problem};

/// Collects the components that operations share.
struct Builder {
    /// Schemas of requests. Separate from those of responses, because an `Option` may be missing in
    /// a request and is `null` in a response.
    requests: SchemaGenerator,
    /// Schemas of responses.
    replies: SchemaGenerator,
    /// Responses with a problem document, by the codes that they may have.
    problems: BTreeMap<String, Value>,
}

/// Builds the document that describes these operations.
pub fn build(operations: &[Operation]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut builder = Builder {
        requests: settings.clone().for_deserialize().into_generator(),
        replies: settings.for_serialize().into_generator(),
        problems: BTreeMap::new(),
    };
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let described = builder.operation(operation);
        let method = operation.endpoint.method.to_lowercase();
        paths.entry(operation.endpoint.path).or_default().insert(method, described);
    }
    builder.replies.subschema_for::<problem::Document<'_>>();
    let mut schemas = builder.requests.take_definitions(true);
    schemas.extend(builder.replies.take_definitions(true));
    let mut document = json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": "Marketplace",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A services marketplace: accounts, a catalogue, orders, payments and live \
                updates.",
            "description": text::INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": text::TAGS.iter().map(|(name, description)| json!({"name": name, "description": description})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": builder.problems,
            "parameters": components::parameters(),
            "headers": components::headers(),
            "securitySchemes": components::security_schemes(),
        },
    });
    remove_doc_links(&mut document["paths"]);
    remove_doc_links(&mut document["components"]["schemas"]);
    document
}

impl Builder {
    fn operation(&mut self, operation: &Operation) -> Value {
        let mut described = json!({
            "operationId": operation.id,
            "tags": [text::tag(operation.id)],
            "summary": operation.summary,
            "description": details(operation),
            "security": security(operation.endpoint.who),
            "responses": self.responses(operation),
        });
        let parameters = self.parameters(operation);
        if !parameters.is_empty() {
            described["parameters"] = json!(parameters);
        }
        let roles = roles(operation.endpoint.who);
        if !roles.is_empty() {
            described["x-roles"] = json!(roles);
        }
        if let Some(body) = &operation.body {
            let schema = (body.schema)(&mut self.requests);
            let media = json!({"schema": schema, "example": body.example});
            let content: Map<_, _> =
                body.media_types.iter().map(|name| ((*name).to_owned(), media.clone())).collect();
            described["requestBody"] = json!({"required": body.required, "content": content});
        }
        described
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let mut all = Vec::new();
        for Parameter { name, location, description, schema } in &operation.parameters {
            let schema = schema(&mut self.requests);
            all.push(
                json!({"name": name, "in": location, "description": description, "required": true, "schema": schema}),
            );
        }
        if let Some(schema) = operation.query {
            all.extend(query(&schema(&mut self.requests).to_value()));
        }
        all.extend(
            operation
                .shared_parameters
                .iter()
                .map(|name| json!({"$ref": format!("#/components/parameters/{name}")})),
        );
        all
    }

    fn responses(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut responses = Map::new();
        for Answer { status, description, media_types, schema, headers } in &operation.answers {
            let names = headers.iter().chain(&["X-Request-Id"]);
            let headers: Map<_, _> = names.map(|name| ((*name).to_owned(), header(name))).collect();
            let mut response = json!({"description": description, "headers": headers});
            if let Some(schema) = schema {
                let content = json!({"schema": schema(&mut self.replies)});
                let of = |name: &&str| ((*name).to_owned(), content.clone());
                response["content"] = media_types.iter().map(of).collect::<Map<_, _>>().into();
            }
            responses.insert(status.to_string(), response);
        }
        let mut by_status: BTreeMap<u16, Vec<&Code>> = BTreeMap::new();
        for code in &operation.problems {
            by_status.entry(code.kind.status()).or_default().push(code);
        }
        for (status, codes) in by_status {
            responses.insert(status.to_string(), self.problem(&codes));
        }
        responses
    }

    /// Returns a reference to the response that has one of these problem codes.
    fn problem(&mut self, codes: &[&Code]) -> Value {
        let names: Vec<_> = codes.iter().map(|code| code.code).collect();
        let name = names.join("-");
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        let lines: Vec<_> = codes
            .iter()
            .map(|code| format!("- [`{0}`](/docs/problems/{0}): {1}.", code.code, code.title))
            .collect();
        let mut headers = vec!["X-Request-Id"];
        for code in codes {
            match code.kind {
                Kind::Unauthenticated if !headers.contains(&"WWW-Authenticate") => {
                    headers.push("WWW-Authenticate")
                }
                Kind::Throttled | Kind::Unavailable if !headers.contains(&"Retry-After") => {
                    headers.push("Retry-After")
                }
                _ => {}
            }
        }
        let headers: Map<_, _> =
            headers.into_iter().map(|name| (name.to_owned(), header(name))).collect();
        let schema = json!({
            "allOf": [{"$ref": "#/components/schemas/Problem"}],
            "properties": {"code": {"enum": names}},
        });
        self.problems.entry(name).or_insert_with(|| {
            json!({
                "description": lines.join("\n"),
                "headers": headers,
                "content": {"application/problem+json": {"schema": schema}},
            })
        });
        reference
    }
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// The roles that may call the operation. Empty when callers need not be signed in.
fn roles(who: Who) -> Vec<&'static str> {
    match who {
        Who::Anyone | Who::OptionallySignedIn => Vec::new(),
        Who::User => Role::ALL.map(Role::as_str).to_vec(),
        Who::Client => vec![Role::Client.as_str()],
        Who::Worker => vec![Role::Worker.as_str()],
        Who::Admin => vec![Role::Admin.as_str()],
        Who::OrderParty(roles) => roles.iter().map(|role| role.as_str()).collect(),
    }
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone => json!([]),
        Who::OptionallySignedIn => json!([{}, {"bearer": []}, {"password": []}]),
        Who::User | Who::Client | Who::Worker | Who::Admin | Who::OrderParty(_) => {
            json!([{"bearer": []}, {"password": []}])
        }
    }
}

fn details(operation: &Operation) -> String {
    let who = audience(operation.endpoint.who);
    match operation.details.as_deref() {
        // These details say more precisely who may call the operation.
        Some(details) if details.starts_with("For ") => details.to_owned(),
        Some(details) => format!("{who}\n\n{details}"),
        None => who,
    }
}

/// The sentence that says who may call an operation.
fn audience(who: Who) -> String {
    match who {
        Who::Anyone => "For anyone.".to_owned(),
        Who::OptionallySignedIn => "For anyone. Signed-in callers may see more.".to_owned(),
        Who::User => "For any user.".to_owned(),
        Who::Client => "For clients.".to_owned(),
        Who::Worker => "For workers.".to_owned(),
        Who::Admin => "For administrators.".to_owned(),
        Who::OrderParty(roles) => {
            let party = |(at, role): (usize, &Role)| match role {
                Role::Client => "the order's client",
                Role::Worker if at == 0 => "the order's worker",
                Role::Worker => "its worker",
                Role::Admin => "administrators",
            };
            let parties: Vec<_> = roles.iter().enumerate().map(party).collect();
            format!("For {}.", parties.join(" and "))
        }
    }
}

/// The query parameters, from the schema of the type that the query string is parsed as. Query
/// strings have no `null`, so it is removed from the schemas.
fn query(schema: &Value) -> Vec<Value> {
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| {
            let mut schema = property.clone();
            let description =
                schema.as_object_mut().and_then(|schema| schema.remove("description"));
            without_null(&mut schema);
            let mut parameter = json!({"name": name, "in": "query", "schema": schema});
            if required.contains(&name.as_str()) {
                parameter["required"] = json!(true);
            }
            if let Some(description) = description {
                parameter["description"] = description;
            }
            parameter
        })
        .collect()
}

fn without_null(schema: &mut Value) {
    if let Some([value, null]) = schema["anyOf"].as_array().map(Vec::as_slice)
        && null["type"] == "null"
    {
        *schema = value.clone();
    } else if let Some([kind, null]) = schema["type"].as_array().map(Vec::as_slice)
        && null == "null"
    {
        schema["type"] = kind.clone();
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    // Removes a `default` of null, which means that there is none.
    if let Some(object) = schema.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
}

/// Removes Rust doc links from descriptions. The descriptions are our doc comments, and the links
/// lead nowhere in the document.
fn remove_doc_links(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(text) if name == "description" => {
                        *text = text.replace("[`", "`").replace("`]", "`")
                    }
                    value => remove_doc_links(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(remove_doc_links),
        _ => {}
    }
}
