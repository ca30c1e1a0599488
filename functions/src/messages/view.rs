//! A message as the API and feeds show it.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::text::MessageText;
use shared::domain::user::Person;
use shared::store::Message;

/// `{id, order_id, from: {id, username}, text, created_at}`.
#[derive(Debug, Serialize)]
pub struct MessageView<'a> {
    id: &'a str,
    order_id: &'a str,
    from: &'a Person,
    text: &'a MessageText,
    created_at: Timestamp,
}

impl<'a> From<&'a Message> for MessageView<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            id: message.id.as_str(),
            order_id: message.order_id.as_str(),
            from: &message.from,
            text: &message.text,
            created_at: message.created_at,
        }
    }
}
