//! Secrets Manager: the template's secrets, their versions, and the API through which functions
//! read them and a developer rolls them.

pub(crate) mod api;
mod password;
mod store;

pub(crate) use self::store::SecretStore;

#[cfg(test)]
mod tests;
