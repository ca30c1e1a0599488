//! A new password in a request.

use schemars::JsonSchema;
use serde_json::Value;
use shared::auth::password::check_policy;
use shared::config::Secret;
use shared::domain::user::{Email, Username};
use shared::error::Invalid;

use crate::http::{FieldErrors, FieldValue, text};

/// 8 to 128 characters. A common password, the username and the e-mail address are refused.
// A value of this type has passed the policy, but may still be the username or the e-mail address.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string", "format" = "password", "minLength" = 8, "maxLength" = 128))]
pub struct NewPassword(#[schemars(with = "String")] pub Secret);

impl FieldValue for NewPassword {
    fn read(name: &str, value: Value) -> Result<Self, FieldErrors> {
        text(|password| {
            let secret = Secret::new(password);
            check_policy(&secret, &[]).map(|()| Self(secret))
        })(name, value)
    }
}

impl NewPassword {
    /// Checks that the password is neither the username nor the e-mail address, nor the part of the
    /// e-mail address before the `@`.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check(&self, username: &Username, email: &Email) -> Result<(), Invalid> {
        let local = email.as_str().split('@').next().unwrap_or_default();
        check_policy(&self.0, &[username.as_str(), email.as_str(), local])
    }
}
