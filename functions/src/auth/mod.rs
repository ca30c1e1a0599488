//! Accounts: registering, signing in and out, and who one is.

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

pub use new_password::NewPassword;
pub use view::UserView;
