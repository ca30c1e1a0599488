//! The messages and frames that go over a socket, as JSON text. Feed entries
//! ([`crate::store::Entry`]) are sent as they are.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::ids::UserId;
use crate::domain::user::Role;
use crate::error::{Error, Result, catalogue};

/// The largest message that a client may send. A hello with all feeds that a worker can have takes
/// a third of it.
pub const MAX_MESSAGE: usize = 8 * 1024;

/// A message from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// `{"action": "hello", "after": {"<feed>": n}}`: continue each feed after this number.
    Hello {
        /// The number of the last entry seen, by the name of the feed. The names are not validated.
        after: BTreeMap<String, u64>,
    },
    /// `{"action": "ping"}`.
    Ping,
}

impl Message {
    /// Parses a message.
    ///
    /// # Errors
    /// - `body_too_large` if it is larger than [`MAX_MESSAGE`]
    /// - `malformed_request` if it is not a JSON object with an `action`
    /// - `unknown_action` if there is no such action
    /// - `validation_failed` if `after` is invalid or there is an unknown field
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_MESSAGE {
            return Err(Error::new(&catalogue::BODY_TOO_LARGE, "Send at most 8 KiB."));
        }
        let malformed =
            || Error::new(&catalogue::MALFORMED_REQUEST, "Send a JSON object with an `action`.");
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err(malformed());
        };
        let Some(Value::String(action)) = message.remove("action") else { return Err(malformed()) };
        let message = match action.as_str() {
            "hello" => {
                let after = message.remove("after").unwrap_or_default();
                (Self::Hello { after: parse_after(after)? }, message)
            }
            "ping" => (Self::Ping, message),
            _ => {
                return Err(Error::new(
                    &catalogue::UNKNOWN_ACTION,
                    "The actions are `hello` and `ping`.",
                ));
            }
        };
        match message {
            (message, rest) if rest.is_empty() => Ok(message),
            (_, rest) => {
                let unknown = rest.keys().next().map_or("", String::as_str);
                Err(Error::new(&catalogue::VALIDATION_FAILED, "There is no such field.")
                    .with_member("field", unknown))
            }
        }
    }
}

fn parse_after(after: Value) -> Result<BTreeMap<String, u64>> {
    match after {
        Value::Null => Ok(BTreeMap::new()),
        after => serde_json::from_value(after).map_err(|_| {
            let detail =
                "`after` must be an object with the number of the last entry seen for each feed.";
            Error::new(&catalogue::VALIDATION_FAILED, detail).with_member("field", "after")
        }),
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Welcome {
        user_id: &'a UserId,
        role: Role,
        feeds: &'a BTreeMap<String, u64>,
    },
    Pong,
    Error {
        code: &'static str,
        detail: &'a str,
        #[serde(flatten)]
        members: &'a Map<String, Value>,
    },
}

impl Frame<'_> {
    fn bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(Error::internal)
    }
}

/// Returns the first frame after a hello: `{"type": "welcome", "user_id", "role", "feeds":
/// {"<feed>": last}}`.
///
/// # Errors
/// Internal if it can't be serialized.
pub fn welcome(user_id: &UserId, role: Role, feeds: &BTreeMap<String, u64>) -> Result<Vec<u8>> {
    Frame::Welcome { user_id, role, feeds }.bytes()
}

/// Returns the response to a ping: `{"type": "pong"}`.
///
/// # Errors
/// Internal if it can't be serialized.
pub fn pong() -> Result<Vec<u8>> {
    Frame::Pong.bytes()
}

/// Returns an error frame: `{"type": "error", "code", "detail"}`, with a `feed` or a `field` if the
/// error is about one.
///
/// # Errors
/// Internal if it can't be serialized.
pub fn error(error: &Error) -> Result<Vec<u8>> {
    Frame::Error { code: error.code().code, detail: error.detail(), members: error.members() }
        .bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Message::parse(text).unwrap_err().code().code
    }

    #[test]
    fn hello_and_ping_are_parsed() {
        assert_eq!(Message::parse(r#"{"action":"ping"}"#).unwrap(), Message::Ping);
        for bare in [
            r#"{"action":"hello"}"#,
            r#"{"action":"hello","after":null}"#,
            r#"{"after":{},"action":"hello"}"#,
        ] {
            assert_eq!(
                Message::parse(bare).unwrap(),
                Message::Hello { after: BTreeMap::new() },
                "{bare}"
            );
        }
        let hello = Message::parse(r#"{"action":"hello","after":{"user:x":3,"":0}}"#).unwrap();
        assert_eq!(
            hello,
            Message::Hello {
                after: BTreeMap::from([("user:x".to_owned(), 3), (String::new(), 0)])
            }
        );
    }

    #[test]
    fn any_other_message_is_rejected_with_a_specific_code() {
        for text in
            ["", "hello", "[]", "\"ping\"", "{}", r#"{"action":1}"#, r#"{"action":"ping""#, "\u{0}"]
        {
            assert_eq!(code(text), "malformed_request", "{text}");
        }
        assert_eq!(code(r#"{"action":"subscribe"}"#), "unknown_action");
        for after in [
            "[]",
            "3",
            r#"{"user:x":-1}"#,
            r#"{"user:x":1.5}"#,
            r#"{"user:x":"1"}"#,
            r#"{"user:x":1e30}"#,
        ] {
            assert_eq!(
                code(&format!(r#"{{"action":"hello","after":{after}}}"#)),
                "validation_failed",
                "{after}"
            );
        }
        assert_eq!(code(r#"{"action":"hello","since":{}}"#), "validation_failed");
        assert_eq!(
            code(&format!(r#"{{"action":"ping","pad":"{}"}}"#, "x".repeat(MAX_MESSAGE))),
            "body_too_large"
        );
    }

    #[test]
    fn frames_have_the_documented_shapes() {
        let user = UserId::derived(&["u"]);
        let feeds = BTreeMap::from([(format!("user:{user}"), 4)]);
        let text =
            |frame: Result<Vec<u8>>| serde_json::from_slice::<Value>(&frame.unwrap()).unwrap();
        let expected = serde_json::json!({
            "type": "welcome",
            "user_id": user,
            "role": "worker",
            "feeds": {format!("user:{user}"): 4},
        });
        assert_eq!(text(welcome(&user, Role::Worker, &feeds)), expected);
        assert_eq!(text(pong()), serde_json::json!({"type": "pong"}));
        let forbidden = Error::new(&catalogue::FORBIDDEN, "No.").with_member("feed", "role:admins");
        let expected = serde_json::json!({
            "type": "error",
            "code": "forbidden",
            "detail": "No.",
            "feed": "role:admins",
        });
        assert_eq!(text(error(&forbidden)), expected);
    }
}
