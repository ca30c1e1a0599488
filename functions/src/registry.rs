//! The list of all functions: what the multi-call binary starts from, and what the tests hold the
//! template, the binaries and the sample events against.

use std::process::ExitCode;

use crate::{
    auth, bootstrap_admin, docs, events, http, live, messages, orders, payments, seed, services,
    site, users, webhooks,
};

/// One deployed function.
pub struct Function {
    /// Its name: that of its binary, its event sample, and the last part of its `CodeUri`.
    pub name: &'static str,
    /// Runs it until the sandbox ends.
    pub run: fn() -> ExitCode,
}

macro_rules! functions {
    ($($name:literal => $serve:path, $handle:path;)*) => {
        /// Every function, in the template's order.
        pub const ALL: &[Function] = &[$(Function {
            name: $name,
            run: || $serve($handle),
        }),*];
    };
}

functions! {
    "auth-register" => http::serve, auth::register::handle;
    "auth-token" => http::serve, auth::token::handle;
    "auth-logout" => http::serve, auth::logout::handle;
    "auth-me" => http::serve, auth::me::handle;
    "auth-update" => http::serve, auth::update::handle;
    "auth-password" => http::serve, auth::password::handle;
    "auth-keys" => http::serve, auth::keys::handle;
    "users-list" => http::serve, users::list::handle;
    "users-create" => http::serve, users::create::handle;
    "users-get" => http::serve, users::get::handle;
    "users-update" => http::serve, users::update::handle;
    "users-delete" => http::serve, users::delete::handle;
    "services-create" => http::serve, services::create::handle;
    "services-list" => http::serve, services::list::handle;
    "services-categories" => http::serve, services::categories::handle;
    "services-get" => http::serve, services::get::handle;
    "services-update" => http::serve, services::update::handle;
    "services-delete" => http::serve, services::delete::handle;
    "orders-create" => http::serve, orders::create::handle;
    "orders-get" => http::serve, orders::get::handle;
    "orders-list" => http::serve, orders::list::handle;
    "orders-open" => http::serve, orders::open::handle;
    "orders-accept" => http::serve, orders::accept::handle;
    "orders-deliver" => http::serve, orders::deliver::handle;
    "orders-complete" => http::serve, orders::complete::handle;
    "orders-release" => http::serve, orders::release::handle;
    "orders-reassign" => http::serve, orders::reassign::handle;
    "orders-request-revision" => http::serve, orders::request_revision::handle;
    "orders-cancel" => http::serve, orders::cancel::handle;
    "orders-dispute" => http::serve, orders::dispute::handle;
    "orders-resolve" => http::serve, orders::resolve::handle;
    "orders-events" => http::serve, orders::events::handle;
    "orders-timers" => events::invoked, orders::timers::handle;
    "payments-create" => http::serve, payments::create::handle;
    "payments-get" => http::serve, payments::get::handle;
    "payments-confirm" => http::serve, payments::confirm::handle;
    "payments-cancel" => http::serve, payments::cancel::handle;
    "webhooks-stripe" => http::serve_webhook, webhooks::stripe::handle;
    "webhooks-events" => http::serve, webhooks::events::handle;
    "payments-apply" => events::stream, payments::apply::handle;
    "payments-reconcile" => events::invoked, payments::reconcile::handle;
    "messages-list" => http::serve, messages::list::handle;
    "messages-send" => http::serve, messages::send::handle;
    "live-ticket" => http::serve, live::ticket::handle;
    "live-feed" => http::serve, live::feed::handle;
    "live-broadcast" => http::serve, live::broadcast::handle;
    "live-connect" => events::socket, live::connect::handle;
    "live-disconnect" => events::socket, live::disconnect::handle;
    "live-default" => events::socket, live::default::handle;
    "live-notify" => events::batch, live::notify::handle;
    "live-fan-out" => events::batch, live::fan_out::handle;
    "live-catch-up" => events::batch, live::catch_up::handle;
    "index" => http::serve, site::index::handle;
    "health" => http::serve, site::health::handle;
    "docs-openapi" => http::serve, docs::openapi::handle;
    "docs-ui" => http::serve, docs::ui::handle;
    "docs-files" => http::serve, docs::files::handle;
    "docs-problems" => http::serve, docs::problems::handle;
    "fallback" => http::serve, site::fallback::handle;
    "bootstrap-admin" => events::invoked, bootstrap_admin::handle;
    "seed" => events::invoked, seed::handle;
}
