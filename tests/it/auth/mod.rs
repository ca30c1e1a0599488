//! Accounts: registering, signing in, and how a sign-in ends.

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
