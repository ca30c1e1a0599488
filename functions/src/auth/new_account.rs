//! What registering, `users-create` and `bootstrap-admin` have in common: a user is made, once.

use jiff::Timestamp;
use shared::auth::password;
use shared::config::Secret;
use shared::domain::ids::UserId;
use shared::domain::order::Idempotency;
use shared::domain::text::Category;
use shared::domain::user::{Email, NewUser, User, Username};
use shared::error::{Error, Result};
use shared::store::{Account, Authority, Registered, Store};
use uuid::Uuid;

use super::NewPassword;
use crate::http::{FieldSet, Fields};

/// The request that makes a user: its key, if it has one.
pub(crate) struct Origin<'a> {
    /// The function.
    pub(crate) operation: &'static str,
    /// Who sends it; `None` when anyone may.
    pub(crate) caller: Option<&'a UserId>,
    /// Its `Idempotency-Key`.
    pub(crate) key: Option<&'a str>,
}

impl Origin<'_> {
    fn id(&self) -> UserId {
        match self.key {
            Some(key) => UserId::derived(&[
                self.operation,
                self.caller.map(UserId::as_str).unwrap_or_default(),
                key,
            ]),
            None => UserId::from_uuid(Uuid::now_v7()),
        }
    }

    /// What it asks for, but for the password: a fast hash of that must not lie beside the slow
    /// one.
    fn idempotency(&self, id: &UserId, new: &NewUser) -> Option<Idempotency> {
        let mut asked = vec![new.email.as_str(), new.username.as_str(), new.role.as_str()];
        asked.extend(new.categories.iter().map(Category::as_str));
        let asked: Vec<&[u8]> = asked.into_iter().map(str::as_bytes).collect();
        self.key.map(|key| Idempotency::new(self.caller.unwrap_or(id), self.operation, key, &asked))
    }
}

/// Reads a user to be. A password that comes with it may not be one of its names, which shows when
/// all are known.
pub(crate) fn read<B: FieldSet>(
    mut fields: Fields,
    named: impl Fn(&B) -> (Option<&NewPassword>, &Username, &Email),
) -> Result<B> {
    let body = B::take(&mut fields);
    if let Some((Some(password), username, email)) = body.as_ref().map(named)
        && let Err(invalid) = password.check(username, email)
    {
        fields.refuse("password", invalid);
    }
    fields.finish((body,)).map(|(body,)| body)
}

/// Makes the user, once for each key; `true` when it had been made before.
///
/// # Errors
/// 409 naming what is taken; 422 for a key that came with another request; what `authority` asks
/// for.
pub(crate) async fn make(
    store: &Store,
    new: NewUser,
    password: Secret,
    origin: Origin<'_>,
    authority: Authority<'_>,
) -> Result<(User, bool)> {
    let now = Timestamp::now();
    let id = origin.id();
    let created_by = origin.idempotency(&id, &new);
    let user = User::new(id, new, now)
        .map_err(|invalid| Error::invalid(vec![invalid.at("categories")]))?;
    let account = Account::new(user, password::hash(password.clone()).await?, created_by);
    match store.register(&account, authority).await? {
        Registered::New => {
            let user = account.user;
            tracing::debug!(user = %user.id, role = user.role.as_str(), "registered {}", user.id);
            Ok((user, false))
        }
        Registered::Before(before) => {
            if !password::verify(password, Some(before.password)).await? {
                return Err(Error::key_reused());
            }
            // The first answer, whatever has become of the user since.
            let created_at = before.user.created_at;
            Ok((User { created_at, updated_at: created_at, ..account.user }, true))
        }
    }
}
