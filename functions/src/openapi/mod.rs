//! The API description (OpenAPI 3.1). Each endpoint describes itself beside its handler
//! (`describe`), with the types that it reads and writes; this puts the descriptions together.
//! `tests/it/docs/openapi.rs` fails when a route has none.

mod answer;
mod components;
mod document;
mod operation;
mod text;

use serde_json::Value;

pub use answer::Answer;
pub use operation::{Operation, Who};

use crate::{auth, docs, live, messages, orders, payments, services, site, users, webhooks};

macro_rules! operations {
    ($($area:ident::$endpoint:ident,)*) => {
        /// Every operation, in the template's order.
        fn operations() -> Vec<Operation> {
            vec![$($area::$endpoint::describe()),*]
        }
    };
}

operations! {
    auth::register,
    auth::token,
    auth::logout,
    auth::me,
    auth::update,
    auth::password,
    auth::keys,
    users::list,
    users::create,
    users::get,
    users::update,
    users::delete,
    services::create,
    services::list,
    services::categories,
    services::get,
    services::update,
    services::delete,
    orders::create,
    orders::get,
    orders::list,
    orders::open,
    orders::accept,
    orders::deliver,
    orders::complete,
    orders::release,
    orders::reassign,
    orders::request_revision,
    orders::cancel,
    orders::dispute,
    orders::resolve,
    orders::events,
    payments::create,
    payments::get,
    payments::confirm,
    payments::cancel,
    webhooks::stripe,
    webhooks::events,
    messages::list,
    messages::send,
    live::ticket,
    live::feed,
    live::broadcast,
    site::index,
    site::health,
    docs::openapi,
    docs::ui,
    docs::files,
    docs::problems,
}

/// The document.
pub fn document() -> Value {
    document::of(&operations())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        fn check(document: &Value, value: &Value) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(reference)) = map.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    map.values().for_each(|value| check(document, value));
                }
                Value::Array(values) => values.iter().for_each(|value| check(document, value)),
                _ => {}
            }
        }
        let document = document();
        check(&document, &document);
    }
}
