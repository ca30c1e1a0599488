//! Writing accounts. What must agree with an account changes in the same transaction: the claims
//! that make its names unique, the number of active administrators, and that whoever administers it
//! still may.

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Update};

use super::account::Claim;
use super::row::{Entity, Key};
use super::transaction::{Committed, Transaction, n, s};
use super::{Account, Store, WriteOutcome, keys};
use crate::domain::error::Invalid;
use crate::domain::ids::UserId;
use crate::error::{Error, Result, catalogue};

/// How often a change is applied again to an account that was changed meanwhile.
const ATTEMPTS: usize = 5;

/// By what right an account is written. It is a condition of the write.
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    /// It is the user's own, or comes with the software.
    Own,
    /// This user is an active administrator.
    Admin(&'a UserId),
    /// There is no active administrator yet.
    FirstAdmin,
}

/// What became of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The account is there now.
    New,
    /// The same request (by its key) made it before.
    Before(Box<Account>),
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// It was made.
    Changed,
    /// The account is not the one that was read any more.
    Stale,
}

/// A part of the transaction, in which a condition can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Account,
    Username,
    Email,
    OldName,
    Admins,
    Authority,
}

impl Store {
    /// Makes an account, its username and its e-mail address in one transaction: all or none,
    /// without a race.
    ///
    /// # Errors
    /// 409 naming `username`, `email` or both when they are taken; 422 when the id's
    /// `Idempotency-Key` was used for another request; what `authority` asks for.
    pub async fn register(
        &self,
        account: &Account,
        authority: Authority<'_>,
    ) -> Result<Registered> {
        let failed = self.write(None, account, authority).await?;
        if failed.contains(&Part::Account) {
            return match self.account(&account.user.id).await? {
                Some(before)
                    if before.created_by.is_some() && before.created_by == account.created_by =>
                {
                    Ok(Registered::Before(Box::new(before)))
                }
                _ => Err(Error::key_reused()),
            };
        }
        refused(&failed, authority).map(|()| Registered::New)
    }

    /// Puts `after` in the place of `before`. Names are exchanged in one transaction: at every
    /// moment each is held by who bears it.
    ///
    /// # Errors
    /// 409 naming the names that are taken, and for the last active administrator; what `authority`
    /// asks for.
    pub async fn change_account(
        &self,
        before: &Account,
        after: &Account,
        authority: Authority<'_>,
    ) -> Result<ChangeOutcome> {
        let failed = self.write(Some(before), after, authority).await?;
        if failed.contains(&Part::Account) {
            return Ok(ChangeOutcome::Stale);
        }
        refused(&failed, authority).map(|()| ChangeOutcome::Changed)
    }

    /// Applies a change of what is no one else's business to an account as read, and again to what
    /// it is now if another write was faster. `change` may say no.
    pub async fn amend(
        &self,
        read: Account,
        change: impl Fn(&Account) -> Result<Account>,
    ) -> Result<Account> {
        let mut before = read;
        for _ in 0..ATTEMPTS {
            let after = change(&before)?;
            match self.replace(&after, before.user.version).await? {
                WriteOutcome::Written => return Ok(after),
                WriteOutcome::Conflict(Some(now)) => before = now,
                WriteOutcome::Conflict(None) => return Err(Error::internal("an account is gone")),
            }
        }
        Err(super::error::unavailable("an account is written by too many at once"))
    }

    /// The parts whose conditions failed; none when it was written. A write that concerns nothing
    /// else is no transaction.
    async fn write(
        &self,
        before: Option<&Account>,
        after: &Account,
        authority: Authority<'_>,
    ) -> Result<Vec<Part>> {
        let mut parts = vec![Part::Account];
        let mut transaction = match before {
            Some(before) => Transaction::default().replace(self, after, before.user.version)?,
            None => Transaction::default().create(self, after)?,
        };
        for (part, key) in [(Part::Username, username as fn(&Account) -> Key), (Part::Email, email)]
        {
            let (old, new) = (before.map(key), key(after));
            if old.as_ref() == Some(&new) {
                continue;
            }
            let claim =
                Claim { key: new, user_id: after.user.id.clone(), at: after.user.updated_at };
            transaction = transaction.create(self, &claim)?;
            parts.push(part);
            if let Some(old) = old {
                transaction = transaction.delete(self.release(old, &after.user.id)?);
                parts.push(Part::OldName);
            }
        }
        if let Some(count) = self.count_admins(before, after, authority)? {
            transaction = transaction.update(count);
            parts.push(Part::Admins);
        }
        if let Authority::Admin(by) = authority
            // An item takes part in a transaction once. Of one's own account the version says as
            // much.
            && *by != after.user.id
        {
            transaction = transaction.check(self.still_admin(by)?);
            parts.push(Part::Authority);
        }
        if let (Some(before), [Part::Account]) = (before, parts.as_slice()) {
            return Ok(match self.replace(after, before.user.version).await? {
                WriteOutcome::Written => Vec::new(),
                WriteOutcome::Conflict(_) => parts,
            });
        }
        Ok(match transaction.commit(&self.client).await? {
            Committed::Yes => Vec::new(),
            Committed::No(failed) => {
                failed.into_iter().filter_map(|at| parts.get(at).copied()).collect()
            }
        })
    }

    fn release(&self, claim: Key, holder: &UserId) -> Result<Delete> {
        Delete::builder()
            .table_name(&self.table)
            .set_key(Some(claim.into_item()))
            .condition_expression("doc.user_id = :holder")
            .expression_attribute_values(":holder", s(holder.as_str()))
            .build()
            .map_err(Error::internal)
    }

    /// Counts an active administrator who comes or goes. The last one does not go, and the first
    /// one comes first.
    fn count_admins(
        &self,
        before: Option<&Account>,
        after: &Account,
        authority: Authority<'_>,
    ) -> Result<Option<Update>> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::admins().into_item()))
            .update_expression("ADD #count :one")
            .expression_attribute_names("#count", "count");
        let update = match (before.is_some_and(Account::is_active_admin), after.is_active_admin()) {
            (false, true) => match authority {
                Authority::FirstAdmin => update
                    .expression_attribute_values(":one", n(1))
                    .condition_expression("attribute_not_exists(pk) OR #count = :none")
                    .expression_attribute_values(":none", n(0)),
                _ => update.expression_attribute_values(":one", n(1)),
            },
            (true, false) => update
                .expression_attribute_values(":one", n(-1))
                .condition_expression("#count > :last")
                .expression_attribute_values(":last", n(1)),
            _ => return Ok(None),
        };
        update.build().map(Some).map_err(Error::internal)
    }

    fn still_admin(&self, by: &UserId) -> Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(keys::user(by).into_item()))
            .condition_expression("doc.#role = :admin AND doc.#status = :active")
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":admin", s("admin"))
            .expression_attribute_values(":active", s("active"))
            .build()
            .map_err(Error::internal)
    }

    /// Stores the password's new hash, unless the account was changed meanwhile: the next sign-in
    /// does it then.
    pub async fn rehash(&self, account: &Account, hash: String) -> Result<()> {
        self.replace(&account.rehashed(hash), account.version()).await.map(drop)
    }
}

fn username(account: &Account) -> Key {
    keys::username(&account.user.username.key())
}

fn email(account: &Account) -> Key {
    keys::email(&account.user.email.key())
}

fn refused(failed: &[Part], authority: Authority<'_>) -> Result<()> {
    if failed.contains(&Part::Authority) {
        return Err(Error::new(&catalogue::FORBIDDEN, "You are no administrator any more."));
    }
    if failed.contains(&Part::Admins) {
        return Err(match authority {
            Authority::FirstAdmin => Error::new(
                &catalogue::ADMIN_EXISTS,
                "There is an administrator already, who makes others: POST /users.",
            ),
            _ => Error::new(
                &catalogue::LAST_ADMIN,
                "This is the last active administrator. Make another one first.",
            ),
        });
    }
    if failed.contains(&Part::OldName) {
        return Err(Error::internal("a name was not held by who bears it"));
    }
    let taken = [
        (Part::Username, "username", "This username is taken."),
        (Part::Email, "email", "This e-mail address is taken."),
    ];
    let wrong = taken.into_iter().filter(|(part, ..)| failed.contains(part));
    let wrong: Vec<_> =
        wrong.map(|(_, field, detail)| Invalid::new("taken", detail).at(field)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        &catalogue::NAME_TAKEN,
        "Someone is called that already; `errors` names what is taken.",
    )
    .with_fields(wrong))
}
