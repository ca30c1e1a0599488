//! Creates a user, for `auth-register`, `users-create` and `bootstrap-admin`.

use jiff::Timestamp;
use shared::auth::password;
use shared::config::Secret;
use shared::domain::ids::UserId;
use shared::domain::order::Idempotency;
use shared::domain::text::Category;
use shared::domain::user::{Email, NewUser, User, Username};
use shared::error::{Error, Result};
use shared::store::{Account, AdminCondition, RegisterOutcome, Store};
use uuid::Uuid;

use super::NewPassword;
use crate::http::{Endpoint, FieldSet, Fields, Request};

/// The `Idempotency-Key` of a request that creates a user. The user's id is derived from it.
pub(crate) struct CreationKey<'a> {
    key: &'a str,
    endpoint: &'static Endpoint,
    /// `None` if anyone may send the request.
    caller: Option<&'a UserId>,
}

impl<'a> CreationKey<'a> {
    /// Reads the key of a request, if it has one.
    ///
    /// # Errors
    /// 422 for a key that is not valid.
    pub(crate) fn read(
        request: &'a Request,
        endpoint: &'static Endpoint,
        caller: Option<&'a UserId>,
    ) -> Result<Option<Self>> {
        let key = request.idempotency_key()?;
        Ok(key.map(|key| Self { key, endpoint, caller }))
    }

    fn user_id(&self) -> UserId {
        let caller = self.caller.map(UserId::as_str).unwrap_or_default();
        UserId::derived(&[&self.endpoint.to_string(), caller, self.key])
    }

    /// Binds the key to everything in the request except the password: a fast hash of the password
    /// must not be stored beside the slow one.
    fn idempotency(&self, id: &UserId, new: &NewUser) -> Idempotency {
        let mut content = vec![new.email.as_str(), new.username.as_str(), new.role.as_str()];
        content.extend(new.categories.iter().map(Category::as_str));
        let content: Vec<&[u8]> = content.into_iter().map(str::as_bytes).collect();
        let caller = self.caller.unwrap_or(id);
        Idempotency::new(caller, &self.endpoint.to_string(), self.key, &content)
    }
}

/// Reads a new user's fields, and checks that the password is neither the username nor the e-mail
/// address.
///
/// # Errors
/// 422 naming every wrong field.
pub(crate) fn read<B: FieldSet>(
    mut fields: Fields,
    credentials: impl Fn(&B) -> (Option<&NewPassword>, &Username, &Email),
) -> Result<B> {
    let body = B::take(&mut fields);
    if let Some((Some(password), username, email)) = body.as_ref().map(credentials)
        && let Err(invalid) = password.check(username, email)
    {
        fields.refuse("password", invalid);
    }
    fields.finish((body,)).map(|(body,)| body)
}

/// Creates the user, once for each key. The flag is `true` if an earlier request with the same key
/// created the user.
///
/// # Errors
/// 409 naming what is taken, `username` or `email`; 422 when the key was used for a different
/// request; those of `condition`.
pub(crate) async fn create(
    store: &Store,
    new: NewUser,
    password: Secret,
    key: Option<CreationKey<'_>>,
    condition: AdminCondition<'_>,
) -> Result<(User, bool)> {
    let now = Timestamp::now();
    let id = match &key {
        Some(key) => key.user_id(),
        None => UserId::from_uuid(Uuid::now_v7()),
    };
    let created_by = key.map(|key| key.idempotency(&id, &new));
    let user = User::new(id, new, now)
        .map_err(|invalid| Error::invalid(vec![invalid.at("categories")]))?;
    let account = Account::new(user, password::hash(password.clone()).await?, created_by);
    match store.register(&account, condition).await? {
        RegisterOutcome::Created => {
            let user = account.user;
            tracing::debug!(user = %user.id, role = user.role.as_str(), "registered {}", user.id);
            Ok((user, false))
        }
        RegisterOutcome::AlreadyRegistered(before) => {
            if !password::verify(password, Some(before.password)).await? {
                return Err(Error::idempotency_key_reused());
            }
            // Returns the first response, even if the user has changed since.
            let created_at = before.user.created_at;
            Ok((User { created_at, updated_at: created_at, ..account.user }, true))
        }
    }
}
