//! Secrets that are JSON objects.

use serde_json::{Map, Value};

/// The members of a secret that is a JSON object. Its errors name members, never values.
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Parses the secret.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // The parser's own message may quote the secret.
        serde_json::from_str(text).map(Self).map_err(|_| "is not a JSON object".to_owned())
    }

    /// Returns a member that is text.
    ///
    /// # Errors
    /// When the member is missing, empty, or not text.
    pub(crate) fn text(&self, name: &str) -> Result<&str, String> {
        match self.0.get(name).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(format!("has no member `{name}` that is text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_member_and_contain_no_value() {
        let secret = r#"{"secret_key": "canary", "number": 5, "empty": ""}"#;
        assert_eq!(Members::parse(secret).unwrap().text("secret_key").unwrap(), "canary");
        for name in ["secret", "number", "empty"] {
            let error = Members::parse(secret).unwrap().text(name).unwrap_err();
            assert_eq!(error, format!("has no member `{name}` that is text"));
        }
        for text in ["canary", r#""canary""#, r#"["canary"]"#, r#"{"canary": "#, ""] {
            assert_eq!(Members::parse(text).err().unwrap(), "is not a JSON object", "{text}");
        }
    }
}
