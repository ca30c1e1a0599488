//! Accounts: registering, signing in, and who one is.

pub mod me;
pub mod register;
pub mod token;
mod view;

pub use view::UserView;
