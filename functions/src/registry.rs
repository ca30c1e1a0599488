//! The list of all functions. Each line has a function's name, what runs it and its handler. Two
//! lists are made of these lines: the functions that run ([`ALL`]) and the endpoints of the API
//! description ([`description`]).

use std::process::ExitCode;

use serde_json::Value;
use shared::config::ConfigError;

use crate::openapi::{Operation, document};
use crate::runtime::context::FromEnv;
use crate::runtime::events;
use crate::{
    auth, docs, http, live, messages, operations, orders, payments, services, site, users, webhooks,
};

/// One deployed function.
pub struct Function {
    /// Its name: that of its binary, its sample event and the last part of its `CodeUri`.
    pub name: &'static str,
    /// Runs it until the sandbox ends.
    pub run: fn() -> ExitCode,
}

/// Makes both lists. They are separate items, so that a binary that only describes the functions
/// does not link their handlers.
macro_rules! functions {
    ($($name:literal => $starter:ident::$serve:ident, $area:ident::$verb:ident;)*) => {
        /// Every function, in the template's order.
        pub const ALL: &[Function] = &[$(Function {
            name: $name,
            run: || $starter::$serve($area::$verb::handle),
        }),*];

        /// Every endpoint's description, in the template's order.
        fn operations() -> Vec<Operation> {
            let all = [$(describe!($name, $starter::$serve, $area::$verb)),*];
            all.into_iter().flatten().collect()
        }
    };
}

/// Describes a function that has a route of its own. All others have no description, because no
/// client calls them.
macro_rules! describe {
    ($name:literal, http::serve, $area:ident::$verb:ident) => {
        Some($area::$verb::describe().named($name))
    };
    ($name:literal, http::serve_webhook, $area:ident::$verb:ident) => {
        Some($area::$verb::describe().named($name))
    };
    ($name:literal, $starter:ident::$serve:ident, $area:ident::$verb:ident) => {
        None
    };
}

functions! {
    "auth-register" => http::serve, auth::register;
    "auth-token" => http::serve, auth::token;
    "auth-logout" => http::serve, auth::logout;
    "auth-me" => http::serve, auth::me;
    "auth-update" => http::serve, auth::update;
    "auth-password" => http::serve, auth::password;
    "auth-keys" => http::serve, auth::keys;
    "users-list" => http::serve, users::list;
    "users-create" => http::serve, users::create;
    "users-get" => http::serve, users::get;
    "users-update" => http::serve, users::update;
    "users-delete" => http::serve, users::delete;
    "services-create" => http::serve, services::create;
    "services-list" => http::serve, services::list;
    "services-categories" => http::serve, services::categories;
    "services-get" => http::serve, services::get;
    "services-update" => http::serve, services::update;
    "services-delete" => http::serve, services::delete;
    "orders-create" => http::serve, orders::create;
    "orders-get" => http::serve, orders::get;
    "orders-list" => http::serve, orders::list;
    "orders-open" => http::serve, orders::open;
    "orders-accept" => http::serve, orders::accept;
    "orders-deliver" => http::serve, orders::deliver;
    "orders-complete" => http::serve, orders::complete;
    "orders-release" => http::serve, orders::release;
    "orders-reassign" => http::serve, orders::reassign;
    "orders-request-revision" => http::serve, orders::request_revision;
    "orders-cancel" => http::serve, orders::cancel;
    "orders-dispute" => http::serve, orders::dispute;
    "orders-resolve" => http::serve, orders::resolve;
    "orders-events" => http::serve, orders::events;
    "orders-timers" => events::direct, orders::timers;
    "payments-create" => http::serve, payments::create;
    "payments-get" => http::serve, payments::get;
    "payments-confirm" => http::serve, payments::confirm;
    "payments-cancel" => http::serve, payments::cancel;
    "webhooks-stripe" => http::serve_webhook, webhooks::stripe;
    "webhooks-events" => http::serve, webhooks::events;
    "payments-apply" => events::stream, payments::apply;
    "payments-reconcile" => events::direct, payments::reconcile;
    "messages-list" => http::serve, messages::list;
    "messages-send" => http::serve, messages::send;
    "live-ticket" => http::serve, live::ticket;
    "live-feed" => http::serve, live::feed;
    "live-broadcast" => http::serve, live::broadcast;
    "live-connect" => events::socket, live::connect;
    "live-disconnect" => events::socket, live::disconnect;
    "live-default" => events::socket, live::default;
    "live-notify" => events::batch, live::notify;
    "live-fan-out" => events::batch, live::fan_out;
    "live-catch-up" => events::batch, live::catch_up;
    "index" => http::serve, site::index;
    "health" => http::serve, site::health;
    "docs-openapi" => http::serve, docs::openapi;
    "docs-ui" => http::serve, docs::ui;
    "docs-files" => http::serve, docs::files;
    "docs-problems" => http::serve, docs::problems;
    "fallback" => http::serve_default, site::fallback;
    "bootstrap-admin" => events::direct, operations::bootstrap_admin;
    "seed" => events::direct, operations::seed;
}

/// The API description: an OpenAPI document.
pub fn description() -> Value {
    document::build(&operations())
}

/// The document that `docs-openapi` serves. It is built here, because only the registry knows every
/// endpoint.
impl FromEnv for docs::openapi::Description {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self(description().to_string()))
    }
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
        let document = description();
        check(&document, &document);
    }
}
