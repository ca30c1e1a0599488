//! `seed`: creates the sample users and services, invoked directly. It can be repeated safely:
//! existing ones stay as they are.

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

use crate::runtime::context::Data;

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
pub struct Seeded {
    users: usize,
    services: usize,
}

/// Creates the sample data.
///
/// # Errors
/// 403 on a production stage.
pub async fn handle(context: &Data, _: Value) -> Result<Seeded> {
    if Stage::from_env().map_err(Error::internal)? == Stage::Production {
        let detail =
            "seed creates users with public passwords, so it refuses to run on a production stage.";
        return Err(Error::new(&catalogue::FORBIDDEN, detail));
    }
    let now = Timestamp::now();
    let mut seeded = Seeded::default();
    for (username, password, role) in USERS {
        seeded.users += usize::from(user(&context.store, username, password, role, now).await?);
    }
    for (at, (name, description, cents, category)) in (0_i64..).zip(SERVICES) {
        // A second apart, so that lists show them in this order.
        let at = now - jiff::SignedDuration::from_secs(at);
        seeded.services +=
            usize::from(service(&context.store, name, description, cents, category, at).await?);
    }
    Ok(seeded)
}

async fn user(
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
    let email = Email::parse(&format!("{username}@marketplace.com")).map_err(wrong)?;
    let new = NewUser {
        email,
        username: Username::parse(username).map_err(wrong)?,
        role,
        categories: Categories::default(),
    };
    let user = User::new(id, new, now).map_err(wrong)?;
    let account = Account::new(user, password::hash(Secret::new(password)).await?, None);
    Ok(matches!(store.register(&account, AdminCondition::None).await?, RegisterOutcome::Created))
}

async fn service(
    store: &Store,
    name: &str,
    description: &str,
    cents: i64,
    category: &str,
    at: Timestamp,
) -> Result<bool> {
    let new = NewService {
        name: Name::parse(name).map_err(wrong)?,
        description: Description::parse(description).map_err(wrong)?,
        category: Category::parse(category).map_err(wrong)?,
        price: Price::parse(Money::new(cents, Currency::USD)).map_err(wrong)?,
    };
    let service = Service::new(ServiceId::derived(&["seed", name]), new, at);
    Ok(matches!(
        store.create_service(&StoredService::new(service, None)).await?,
        WriteOutcome::Written
    ))
}

fn wrong(invalid: Invalid) -> Error {
    Error::internal(invalid)
}
