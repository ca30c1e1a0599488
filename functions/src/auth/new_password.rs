//! A password to be.

use schemars::JsonSchema;
use serde_json::Value;
use shared::auth::password::check_policy;
use shared::config::Secret;

use crate::http::{FieldValue, Problem, text};

/// A password that fits the policy, but for what depends on whose it is ([`check_policy`]).
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string", "format" = "password", "minLength" = 8, "maxLength" = 128))]
pub struct NewPassword(#[schemars(with = "String")] pub Secret);

impl FieldValue for NewPassword {
    fn read(name: &str, value: Value) -> Result<Self, Problem> {
        text(|password| {
            let secret = Secret::new(password);
            check_policy(&secret, "").map(|()| Self(secret))
        })(name, value)
    }
}
