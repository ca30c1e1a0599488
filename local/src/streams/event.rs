//! Stream records, in the shape in which Lambda passes them to a function.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodbstreams::types::{self, AttributeValue};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

type Item = HashMap<String, AttributeValue>;

/// One record of a stream.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its sequence number, which orders the records of a shard.
    pub sequence_number: String,
    /// The time of the write, in seconds since 1970.
    pub created: i64,
    /// A hash of the item's key.
    pub key_hash: u32,
    /// The record as the function receives it.
    pub event: Value,
    /// The size of `event` as JSON, in bytes.
    pub size: usize,
}

/// Converts a record of the streams API to a record of an event.
///
/// # Errors
/// When the record has no `dynamodb` part or no sequence number.
pub fn record(record: types::Record, event_source_arn: &str) -> anyhow::Result<Record> {
    let dynamodb = record.dynamodb.context("a stream record has no dynamodb part")?;
    let sequence_number =
        dynamodb.sequence_number.context("a stream record has no sequence number")?;
    let keys = dynamodb.keys.unwrap_or_default();
    let created = dynamodb.approximate_creation_date_time.map_or(0, |t| t.secs());
    let key_hash = key_hash(&keys);

    let mut body = json!({
        "ApproximateCreationDateTime": created,
        "Keys": item(keys),
        "SequenceNumber": sequence_number,
        "SizeBytes": dynamodb.size_bytes.unwrap_or_default(),
    });
    if let Some(view) = dynamodb.stream_view_type {
        body["StreamViewType"] = view.as_str().into();
    }
    for (name, image) in [("NewImage", dynamodb.new_image), ("OldImage", dynamodb.old_image)] {
        if let Some(image) = image {
            body[name] = item(image);
        }
    }
    let mut event = json!({
        "eventID": record.event_id,
        "eventName": record.event_name.map(|n| n.as_str().to_owned()),
        "eventVersion": record.event_version,
        "eventSource": "aws:dynamodb",
        "awsRegion": event_source_arn.split(':').nth(3),
        "dynamodb": body,
        "eventSourceARN": event_source_arn,
    });
    if record.user_identity.is_some() {
        // Only deletions by TTL have an identity. The SDK can't read its members from dynoxide,
        // which spells them differently.
        event["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    }
    let size = event.to_string().len();
    Ok(Record { sequence_number, created, key_hash, event, size })
}

fn item(item: Item) -> Value {
    item.into_iter().map(|(name, value)| (name, attribute(value))).collect::<Map<_, _>>().into()
}

/// Converts a value to DynamoDB's JSON.
fn attribute(value: AttributeValue) -> Value {
    let binary = |b: &[u8]| BASE64.encode(b);
    match value {
        AttributeValue::S(s) => json!({"S": s}),
        AttributeValue::N(n) => json!({"N": n}),
        AttributeValue::B(b) => json!({"B": binary(b.as_ref())}),
        AttributeValue::Bool(b) => json!({"BOOL": b}),
        AttributeValue::Null(n) => json!({"NULL": n}),
        AttributeValue::Ss(s) => json!({"SS": s}),
        AttributeValue::Ns(n) => json!({"NS": n}),
        AttributeValue::Bs(b) => {
            json!({"BS": b.iter().map(|b| binary(b.as_ref())).collect::<Vec<_>>()})
        }
        AttributeValue::L(l) => json!({"L": l.into_iter().map(attribute).collect::<Vec<_>>()}),
        AttributeValue::M(m) => json!({"M": item(m)}),
        // A type that this SDK does not know yet.
        _ => Value::Null,
    }
}

/// Hashes a key. The hash must be the same in every build, because checkpoints on disk depend on
/// it.
fn key_hash(keys: &Item) -> u32 {
    let mut keys: Vec<_> =
        keys.iter().map(|(name, value)| format!("{name}={}", attribute(value.clone()))).collect();
    keys.sort_unstable();
    crc32fast::hash(keys.join("&").as_bytes())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodbstreams::primitives::{Blob, DateTime};
    use aws_sdk_dynamodbstreams::types::{Identity, OperationType, StreamRecord, StreamViewType};

    use super::*;

    #[test]
    fn a_record_has_lambdas_shape() {
        let image = [
            ("pk", AttributeValue::S("ORDER#1".into())),
            ("n", AttributeValue::N("1.5".into())),
            ("b", AttributeValue::B(Blob::new(b"\x00\xff"))),
            ("l", AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true)])),
            (
                "m",
                AttributeValue::M([("ss".to_owned(), AttributeValue::Ss(vec!["x".into()]))].into()),
            ),
        ];
        let image: Item = image.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let dynamodb = StreamRecord::builder()
            .approximate_creation_date_time(DateTime::from_secs(1_700_000_000))
            .keys("pk", AttributeValue::S("ORDER#1".into()))
            .set_old_image(Some(image))
            .sequence_number("100000000000000000001")
            .size_bytes(42)
            .stream_view_type(StreamViewType::NewAndOldImages);
        let source = types::Record::builder()
            .event_id("e1")
            .event_name(OperationType::Remove)
            .event_version("1.1")
            .dynamodb(dynamodb.build())
            .user_identity(Identity::builder().build());
        let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/1";
        let record = record(source.build(), arn).unwrap();
        assert_eq!(
            record.event,
            json!({
                "eventID": "e1", "eventName": "REMOVE", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
                "awsRegion": "eu-west-1", "eventSourceARN": arn,
                "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_700_000_000, "Keys": {"pk": {"S": "ORDER#1"}},
                    "OldImage": {
                        "pk": {"S": "ORDER#1"}, "n": {"N": "1.5"}, "b": {"B": "AP8="},
                        "l": {"L": [{"BOOL": true}, {"NULL": true}]}, "m": {"M": {"ss": {"SS": ["x"]}}},
                    },
                    "SequenceNumber": "100000000000000000001", "SizeBytes": 42, "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
            })
        );
    }

    #[test]
    fn a_key_hashes_the_same_in_every_build() {
        let keys =
            [("sk", "b"), ("pk", "a")].map(|(k, v)| (k.to_owned(), AttributeValue::S(v.into())));
        assert_eq!(key_hash(&keys.into()), crc32fast::hash(br#"pk={"S":"a"}&sk={"S":"b"}"#));
    }
}
