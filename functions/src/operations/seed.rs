//! `seed`: creates the sample users and services, invoked directly. It is safe to repeat: existing
//! users and services stay as they are.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::auth::password;
use shared::config::{Secret, Stage};
use shared::domain::ids::{ServiceId, UserId};
use shared::domain::money::{Currency, Money, Price};
use shared::domain::service::{NewService, Service};
use shared::domain::text::{Category, Description, Name};
use shared::domain::user::{Categories, Email, NewUser, Role, User, Username};
use shared::error::{Error, Invalid, Result, catalogue};
use shared::store::{Account, AdminCondition, RegisterOutcome, Store, StoredService, WriteOutcome};

use crate::runtime::context::Database;

/// Username, password (not checked against the policy) and role.
const USERS: [(&str, &str, Role); 3] = [
    ("admin", "admin123", Role::Admin),
    ("worker1", "worker123", Role::Worker),
    ("client1", "client123", Role::Client),
];

/// Name, description, price in US cents and category.
const SERVICES: [(&str, &str, i64, &str); 4] = [
    (
        "Web Development",
        "A responsive web site, designed, built and put online.",
        50_000,
        "Technology",
    ),
    ("Graphic Design", "A logo and the colours and letters that go with it.", 30_000, "Design"),
    ("Content Writing", "Five articles of a thousand words for your site.", 15_000, "Marketing"),
    ("Consulting", "Half a day of advice on how to run your business.", 20_000, "Business"),
];

/// How many users and services were created; existing ones don't count.
#[derive(Debug, Default, Serialize)]
pub struct SeedReport {
    users: usize,
    services: usize,
}

/// Creates the sample data.
///
/// # Errors
/// 403 on a production stage.
pub async fn handle(context: &Database, _: Value) -> Result<SeedReport> {
    if Stage::from_env().map_err(Error::internal)? == Stage::Production {
        let detail =
            "seed creates users with public passwords, so it refuses to run on a production stage.";
        return Err(Error::new(&catalogue::FORBIDDEN, detail));
    }
    let now = Timestamp::now();
    let mut report = SeedReport::default();
    for (username, password, role) in USERS {
        report.users +=
            usize::from(create_user(&context.store, username, password, role, now).await?);
    }
    for (at, (name, description, cents, category)) in (0_i64..).zip(SERVICES) {
        // A second apart, so that lists show them in this order.
        let at = now - jiff::SignedDuration::from_secs(at);
        report.services += usize::from(
            create_service(&context.store, name, description, cents, category, at).await?,
        );
    }
    Ok(report)
}

/// Creates a user. Returns `false` if the user exists.
async fn create_user(
    store: &Store,
    username: &str,
    password: &str,
    role: Role,
    now: Timestamp,
) -> Result<bool> {
    let id = UserId::derived(&["seed", username]);
    if store.account(&id).await?.is_some() {
        return Ok(false);
    }
    let email = Email::parse(&format!("{username}@marketplace.com")).map_err(invalid_sample)?;
    let new = NewUser {
        email,
        username: Username::parse(username).map_err(invalid_sample)?,
        role,
        categories: Categories::default(),
    };
    let user = User::new(id, new, now).map_err(invalid_sample)?;
    let account = Account::new(user, password::hash(Secret::new(password)).await?, None);
    Ok(matches!(store.register(&account, AdminCondition::None).await?, RegisterOutcome::Created))
}

/// Creates a service. Returns `false` if the service exists.
async fn create_service(
    store: &Store,
    name: &str,
    description: &str,
    cents: i64,
    category: &str,
    at: Timestamp,
) -> Result<bool> {
    let new = NewService {
        name: Name::parse(name).map_err(invalid_sample)?,
        description: Description::parse(description).map_err(invalid_sample)?,
        category: Category::parse(category).map_err(invalid_sample)?,
        price: Price::parse(Money::new(cents, Currency::USD)).map_err(invalid_sample)?,
    };
    let service = Service::new(ServiceId::derived(&["seed", name]), new, at);
    Ok(matches!(
        store.create_service(&StoredService::new(service, None)).await?,
        WriteOutcome::Written
    ))
}

fn invalid_sample(invalid: Invalid) -> Error {
    Error::internal(invalid)
}
