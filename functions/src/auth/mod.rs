//! Accounts: registering, signing in, and who one is.

pub mod me;
mod new_password;
pub mod register;
pub mod token;
mod view;

pub use new_password::NewPassword;
pub use view::UserView;
