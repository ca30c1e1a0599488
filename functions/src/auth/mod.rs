//! Accounts: registration, sign-in, sign-out and the caller's own user.

pub mod keys;
pub mod logout;
pub mod me;
pub(crate) mod new_account;
mod new_password;
pub mod password;
mod refresh_token;
pub mod register;
pub mod throttle;
pub mod token;
pub mod update;
mod view;

use shared::auth::{Issuer, KeySet, Verifier};
use shared::secrets::CachedSecret;
use shared::store::Store;

pub use new_password::NewPassword;
pub use view::UserView;

use self::throttle::{RegistrationLimit, SignInLimits};
use crate::runtime::context::{context, parts};

context! {
    /// For signing in.
    SignIn {
        /// The database.
        store: Store,
        /// Signs access tokens.
        issuer: CachedSecret<Issuer>,
        /// Limits failed sign-ins.
        limits: SignInLimits,
    }

    /// For registering.
    Registration {
        /// The database.
        store: Store,
        /// Limits registrations per IP address.
        limit: RegistrationLimit,
    }

    /// For changing the caller's password.
    PasswordChange {
        /// The database.
        store: Store,
        /// Verifies access tokens.
        verifier: Verifier,
        /// Limits failed sign-ins.
        limits: SignInLimits,
    }

    /// For publishing the public keys.
    PublicKeys {
        /// The public keys of access tokens.
        key_set: KeySet,
    }
}

parts! {
    KeySet: KeySet::from_env();
    SignInLimits: SignInLimits::from_env();
    RegistrationLimit: RegistrationLimit::from_env();
}
