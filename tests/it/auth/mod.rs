//! Accounts: registering, signing in and out, and changing your own account.

mod access_token;
mod keys;
mod logout;
mod me;
mod password;
mod password_length;
mod refresh_token;
mod register;
mod throttle;
mod token;
mod update;
