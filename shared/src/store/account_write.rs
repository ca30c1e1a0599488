//! Writes accounts. One transaction covers everything that must agree with an account: the
//! reservations that keep its username and e-mail address unique, the number of active
//! administrators, and the check that the administrator who changes it is still an administrator.

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Update};

use super::account::{Account, LoginReservation};
use super::error::unavailable;
use super::keys;
use super::row::{Entity, Key, number, string};
use super::table::{Store, WriteOutcome};
use super::transaction::{CommitOutcome, Transaction};
use crate::domain::error::Invalid;
use crate::domain::ids::UserId;
use crate::error::{Error, Result, catalogue};

/// How many times a change is tried when other requests keep changing the account.
const ATTEMPTS: usize = 5;

/// A condition about administrators that the write of an account checks.
#[derive(Debug, Clone, Copy)]
pub enum AdminCondition<'a> {
    /// No condition: users who write their own account, and the sample data, need no administrator.
    None,
    /// This user must be an active administrator.
    ActiveAdmin(&'a UserId),
    /// There must be no active administrator yet.
    NoAdminYet,
}

/// The outcome of a registration.
#[derive(Debug)]
pub enum RegisterOutcome {
    /// The account was created.
    Created,
    /// An earlier attempt of this request, with the same idempotency key, created this account.
    AlreadyRegistered(Box<Account>),
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// The change was stored.
    Changed,
    /// Another request changed the account after it was read.
    Stale,
}

/// A part of the transaction whose condition can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckedPart {
    Account,
    Username,
    Email,
    OldReservation,
    AdminCount,
    ActiveAdmin,
}

impl Store {
    /// Creates an account and reserves its username and e-mail address, in one transaction.
    ///
    /// # Errors
    /// - `name_taken` (409), naming `username`, `email` or both
    /// - `idempotency_key_reused` (422) if the key was used for a different request
    /// - `forbidden` (403) or `admin_exists` (409) if `condition` is not met
    /// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails
    ///   otherwise
    pub async fn register(
        &self,
        account: &Account,
        condition: AdminCondition<'_>,
    ) -> Result<RegisterOutcome> {
        let failed = self.write(None, account, condition).await?;
        if failed.contains(&CheckedPart::Account) {
            return match self.account(&account.user.id).await? {
                Some(before)
                    if before.created_by.is_some() && before.created_by == account.created_by =>
                {
                    Ok(RegisterOutcome::AlreadyRegistered(Box::new(before)))
                }
                _ => Err(Error::idempotency_key_reused()),
            };
        }
        check_failed(&failed, condition).map(|()| RegisterOutcome::Created)
    }

    /// Replaces `before` with `after`. If the username or the e-mail address changed, the same
    /// transaction reserves the new one and releases the old one.
    ///
    /// # Errors
    /// - `name_taken` (409), naming `username`, `email` or both
    /// - `last_admin` (409) if no active administrator would be left
    /// - `forbidden` (403) if `condition` is not met
    /// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails
    ///   otherwise
    pub async fn replace_account(
        &self,
        before: &Account,
        after: &Account,
        condition: AdminCondition<'_>,
    ) -> Result<ChangeOutcome> {
        let failed = self.write(Some(before), after, condition).await?;
        if failed.contains(&CheckedPart::Account) {
            return Ok(ChangeOutcome::Stale);
        }
        check_failed(&failed, condition).map(|()| ChangeOutcome::Changed)
    }

    /// Applies a change that affects neither the username, the e-mail address, the role nor the
    /// status. If another write was faster, the change is applied again to the current account.
    ///
    /// # Errors
    /// - any error of `change`, which may refuse the current account
    /// - `database_unavailable` if other writes were faster every time
    /// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails
    ///   otherwise
    pub async fn update_account(
        &self,
        current: Account,
        change: impl Fn(&Account) -> Result<Account>,
    ) -> Result<Account> {
        let mut before = current;
        for _ in 0..ATTEMPTS {
            let after = change(&before)?;
            match self.replace(&after, before.user.version).await? {
                WriteOutcome::Written => return Ok(after),
                WriteOutcome::Conflict(Some(now)) => before = now,
                WriteOutcome::Conflict(None) => {
                    return Err(Error::internal("the account no longer exists"));
                }
            }
        }
        Err(unavailable("other requests kept changing the account"))
    }

    /// Writes an account and returns the parts whose conditions failed: an empty list if it was
    /// written. If only the account's own item changes, a single conditional write takes the place
    /// of the transaction.
    async fn write(
        &self,
        before: Option<&Account>,
        after: &Account,
        condition: AdminCondition<'_>,
    ) -> Result<Vec<CheckedPart>> {
        let mut parts = vec![CheckedPart::Account];
        let mut transaction = match before {
            Some(before) => Transaction::default().replace(self, after, before.user.version)?,
            None => Transaction::default().create(self, after)?,
        };
        for (part, key) in
            [(CheckedPart::Username, username as fn(&Account) -> Key), (CheckedPart::Email, email)]
        {
            let (old, new) = (before.map(key), key(after));
            if old.as_ref() == Some(&new) {
                continue;
            }
            let reservation = LoginReservation {
                key: new,
                user_id: after.user.id.clone(),
                at: after.user.updated_at,
            };
            transaction = transaction.create(self, &reservation)?;
            parts.push(part);
            if let Some(old) = old {
                transaction = transaction.delete(self.release(old, &after.user.id)?);
                parts.push(CheckedPart::OldReservation);
            }
        }
        if let Some(count) = self.count_admins(before, after, condition)? {
            transaction = transaction.update(count);
            parts.push(CheckedPart::AdminCount);
        }
        if let AdminCondition::ActiveAdmin(by) = condition
            // A transaction may name an item only once. For administrators who change their own
            // account, its version guarantees the same.
            && *by != after.user.id
        {
            transaction = transaction.check(self.check_active_admin(by)?);
            parts.push(CheckedPart::ActiveAdmin);
        }
        if let (Some(before), [CheckedPart::Account]) = (before, parts.as_slice()) {
            return Ok(match self.replace(after, before.user.version).await? {
                WriteOutcome::Written => Vec::new(),
                WriteOutcome::Conflict(_) => parts,
            });
        }
        Ok(match transaction.commit(&self.client).await? {
            CommitOutcome::Committed => Vec::new(),
            CommitOutcome::ConditionFailed(failed) => {
                failed.into_iter().filter_map(|position| parts.get(position).copied()).collect()
            }
        })
    }

    /// Creates the deletion of a reservation, on condition that it is still this user's.
    fn release(&self, reservation: Key, holder: &UserId) -> Result<Delete> {
        Delete::builder()
            .table_name(&self.table)
            .set_key(Some(reservation.into_item()))
            .condition_expression("doc.user_id = :holder")
            .expression_attribute_values(":holder", string(holder.as_str()))
            .build()
            .map_err(Error::internal)
    }

    /// Creates the update of the number of active administrators, or returns `None` if the number
    /// doesn't change. The update fails if no active administrator would be left, or if there
    /// already is one and the condition is [`AdminCondition::NoAdminYet`].
    fn count_admins(
        &self,
        before: Option<&Account>,
        after: &Account,
        condition: AdminCondition<'_>,
    ) -> Result<Option<Update>> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::admins().into_item()))
            .update_expression("ADD #count :one")
            .expression_attribute_names("#count", "count");
        let update = match (before.is_some_and(Account::is_active_admin), after.is_active_admin()) {
            (false, true) => match condition {
                AdminCondition::NoAdminYet => update
                    .expression_attribute_values(":one", number(1))
                    .condition_expression("attribute_not_exists(pk) OR #count = :zero")
                    .expression_attribute_values(":zero", number(0)),
                _ => update.expression_attribute_values(":one", number(1)),
            },
            (true, false) => update
                .expression_attribute_values(":one", number(-1))
                .condition_expression("#count > :last")
                .expression_attribute_values(":last", number(1)),
            _ => return Ok(None),
        };
        update.build().map(Some).map_err(Error::internal)
    }

    /// Creates the check that this user is an active administrator.
    fn check_active_admin(&self, by: &UserId) -> Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(keys::user(by).into_item()))
            .condition_expression("doc.#role = :admin AND doc.#status = :active")
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":admin", string("admin"))
            .expression_attribute_values(":active", string("active"))
            .build()
            .map_err(Error::internal)
    }

    /// Stores a new hash of the same password. If another request changed the account in the
    /// meantime, this does nothing, and the next sign-in hashes the password again.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn replace_hash(&self, account: &Account, hash: String) -> Result<()> {
        self.replace(&account.rehashed(hash), account.version()).await.map(drop)
    }
}

fn username(account: &Account) -> Key {
    keys::username(&account.user.username.key())
}

fn email(account: &Account) -> Key {
    keys::email(&account.user.email.key())
}

/// Returns the error for the parts whose conditions failed, or `Ok` if no condition failed.
fn check_failed(failed: &[CheckedPart], condition: AdminCondition<'_>) -> Result<()> {
    if failed.contains(&CheckedPart::ActiveAdmin) {
        return Err(Error::new(&catalogue::FORBIDDEN, "You are no longer an administrator."));
    }
    if failed.contains(&CheckedPart::AdminCount) {
        return Err(match condition {
            AdminCondition::NoAdminYet => Error::new(
                &catalogue::ADMIN_EXISTS,
                "There already is an administrator, who can create others with POST /users.",
            ),
            _ => Error::new(
                &catalogue::LAST_ADMIN,
                "This is the last active administrator. Create another one first.",
            ),
        });
    }
    if failed.contains(&CheckedPart::OldReservation) {
        return Err(Error::internal(
            "the account's old username or e-mail address was reserved for another user",
        ));
    }
    let taken = [
        (CheckedPart::Username, "username", "This username is taken."),
        (CheckedPart::Email, "email", "This e-mail address is taken."),
    ];
    let taken = taken.into_iter().filter(|(part, ..)| failed.contains(part));
    let invalid: Vec<_> =
        taken.map(|(_, field, detail)| Invalid::new("taken", detail).at(field)).collect();
    if invalid.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        &catalogue::NAME_TAKEN,
        "The username or the e-mail address is already taken; `errors` says which.",
    )
    .with_fields(invalid))
}
