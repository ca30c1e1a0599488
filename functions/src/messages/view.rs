//! The representation of a message in the API and in feeds.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::ids::{MessageId, OrderId};
use shared::domain::schema::DateTime;
use shared::domain::text::MessageText;
use shared::domain::user::Person;
use shared::store::Message;

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub struct MessageView<'a> {
    id: &'a MessageId,
    order_id: &'a OrderId,
    /// Who sent it.
    from: &'a Person,
    text: &'a MessageText,
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
}

impl<'a> From<&'a Message> for MessageView<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            id: &message.id,
            order_id: &message.order_id,
            from: &message.from,
            text: &message.text,
            created_at: message.created_at,
        }
    }
}
