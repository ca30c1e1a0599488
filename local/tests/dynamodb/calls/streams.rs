//! DynamoDB Streams.

use super::{Call, calls, from, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    calls! {
        PutItem("items") {
            "insert" => {"Item": {"pk": s("r"), "sk": s("1"), "v": n("1")}},
            "replace by the same" => {"Item": {"pk": s("r"), "sk": s("1"), "v": n("1")}},
            "replace" => {"Item": {"pk": s("r"), "sk": s("1"), "v": n("2"), "t": {"SS": ["b", "a"]}}},
        }
        UpdateItem("items") {
            "update" => {
                "Key": key("r", "1"),
                "UpdateExpression": "ADD v :one",
                "ExpressionAttributeValues": {":one": n("1")},
            },
            "update without a change" => {
                "Key": key("r", "1"),
                "UpdateExpression": "SET v = :v",
                "ExpressionAttributeValues": {":v": n("3")},
            },
            "create by update" => {"Key": key("r", "2")},
        }
        DeleteItem("items") {
            "delete" => {"Key": key("r", "1")},
            "delete what doesn't exist" => {"Key": key("r", "1")},
        }
        TransactWriteItems {
            "a transaction" => {"TransactItems": [
                {"Put": {"TableName": "items", "Item": key("r", "3")}},
                {"Delete": {"TableName": "items", "Key": key("r", "2")}},
            ]},
        }
        BatchWriteItem {
            "a batch" => {"RequestItems": {"items": [{"PutRequest": {"Item": key("r", "4")}}]}},
        }
        PutItem("keys-only") {
            "insert with keys only" => {"Item": {"id": s("1"), "v": n("1")}},
        }
        PutItem("keys-only") {
            "replace by the same with keys only" => {"Item": {"id": s("1"), "v": n("1")}},
        }
        DeleteItem("keys-only") {
            "delete with keys only" => {"Key": {"id": s("1")}},
        }
        PutItem("new-images") {
            "insert with new images" => {"Item": {"id": s("1"), "v": n("1")}},
        }
        DeleteItem("new-images") {
            "delete with new images" => {"Key": {"id": s("1")}},
        }
        PutItem("old-images") {
            "insert with old images" => {"Item": {"id": s("1"), "v": n("1")}},
        }
        DeleteItem("old-images") {
            "delete with old images" => {"Key": {"id": s("1")}},
        }
        ListStreams {
            "list streams" => {},
            "list the streams of a table" => {"TableName": "items"},
            "list the streams of a table without one" => {"TableName": "counters"},
            "list the streams of a table that doesn't exist" => {"TableName": "nothing"},
            "list with a limit of 0" => {"Limit": 0},
            "list with a limit of 101" => {"Limit": 101},
            "list one stream" => {"Limit": 1},
            "list the stream of new images" => {"TableName": "new-images"},
            "list the stream of old images" => {"TableName": "old-images"},
            "list the stream of keys" => {"TableName": "keys-only"},
        }
        DescribeStream {
            "describe" => {"StreamArn": from("list the streams of a table", "/Streams/0/StreamArn")},
            "describe the stream of new images" => {
                "StreamArn": from("list the stream of new images", "/Streams/0/StreamArn"),
            },
            "describe the stream of old images" => {
                "StreamArn": from("list the stream of old images", "/Streams/0/StreamArn"),
            },
            "describe the stream of keys" => {
                "StreamArn": from("list the stream of keys", "/Streams/0/StreamArn"),
            },
            "describe a stream that doesn't exist" => {"StreamArn":
                "arn:aws:dynamodb:us-east-1:000000000000:table/nothing/stream/2026-01-01T00:00:00.000",
            },
            "describe another stream of a table" => {"StreamArn":
                "arn:aws:dynamodb:us-east-1:000000000000:table/items/stream/2000-01-01T00:00:00.000",
            },
            "describe nonsense" => {"StreamArn": "nonsense"},
            "describe without an ARN" => {},
            "describe with a limit of 0" => {
                "StreamArn": from("list the streams of a table", "/Streams/0/StreamArn"), "Limit": 0,
            },
            "describe with a limit of 101" => {
                "StreamArn": from("list the streams of a table", "/Streams/0/StreamArn"),
                "Limit": 101,
            },
        }
        GetShardIterator {
            "an iterator from the start" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator from the end" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "LATEST",
            },
            "an iterator of new images" => {
                "StreamArn": from("list the stream of new images", "/Streams/0/StreamArn"),
                "ShardId": from(
                    "describe the stream of new images", "/StreamDescription/Shards/0/ShardId"
                ),
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator of old images" => {
                "StreamArn": from("list the stream of old images", "/Streams/0/StreamArn"),
                "ShardId": from(
                    "describe the stream of old images", "/StreamDescription/Shards/0/ShardId"
                ),
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator of keys" => {
                "StreamArn": from("list the stream of keys", "/Streams/0/StreamArn"),
                "ShardId": from("describe the stream of keys", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator of an unknown type" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "START",
            },
            "an iterator without a type" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
            },
            "an iterator of a shard that doesn't exist" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": "shardId-00000000000000000000-00000000",
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator of a short shard id" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": "shard",
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator without a shard" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator of a stream that doesn't exist" => {
                "StreamArn":
                    "arn:aws:dynamodb:us-east-1:000000000000:table/nothing/stream/2026-01-01T00:00:00.000",
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "TRIM_HORIZON",
            },
            "an iterator at a missing sequence number" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            },
            "an iterator at a malformed sequence number" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "SequenceNumber": "not a number, but long enough",
            },
            "an iterator at a short sequence number" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "SequenceNumber": "1",
            },
            "an iterator from the start with a sequence number" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "TRIM_HORIZON",
                "SequenceNumber": "000000000000000000001",
            },
        }
        GetRecords {
            "all records" => {"ShardIterator": from("an iterator from the start", "/ShardIterator")},
            "two records" => {
                "ShardIterator": from("an iterator from the start", "/ShardIterator"), "Limit": 2,
            },
            "the next records" => {
                "ShardIterator": from("two records", "/NextShardIterator"), "Limit": 2,
            },
            "records from the end" => {
                "ShardIterator": from("an iterator from the end", "/ShardIterator"),
            },
            "records of new images" => {
                "ShardIterator": from("an iterator of new images", "/ShardIterator"),
            },
            "records of old images" => {
                "ShardIterator": from("an iterator of old images", "/ShardIterator"),
            },
            "records of keys" => {"ShardIterator": from("an iterator of keys", "/ShardIterator")},
            "1000 records" => {
                "ShardIterator": from("an iterator from the start", "/ShardIterator"),
                "Limit": 1000,
            },
            "1001 records" => {
                "ShardIterator": from("an iterator from the start", "/ShardIterator"),
                "Limit": 1001,
            },
            "0 records" => {
                "ShardIterator": from("an iterator from the start", "/ShardIterator"), "Limit": 0,
            },
            "records without an iterator" => {},
            "records of an empty iterator" => {"ShardIterator": ""},
            "records of a malformed iterator" => {"ShardIterator": "nonsense"},
            "records of an iterator of nothing" => {"ShardIterator":
                "000000000000|arn:aws:dynamodb:us-east-1:000000000000:table/nothing/stream/2026-01-01T00:00:00.000|AAAA",
            },
        }
        GetShardIterator {
            "an iterator at a record" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "SequenceNumber": from("all records", "/Records/1/dynamodb/SequenceNumber"),
            },
            "an iterator after a record" => {
                "StreamArn": from("describe", "/StreamDescription/StreamArn"),
                "ShardId": from("describe", "/StreamDescription/Shards/0/ShardId"),
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": from("all records", "/Records/1/dynamodb/SequenceNumber"),
            },
        }
        GetRecords {
            "records at a record" => {
                "ShardIterator": from("an iterator at a record", "/ShardIterator"), "Limit": 1,
            },
            "records after a record" => {
                "ShardIterator": from("an iterator after a record", "/ShardIterator"), "Limit": 1,
            },
        }
        PutItem("items") {
            "a late insert" => {"Item": key("r", "9")},
        }
        GetRecords {
            "late records" => {
                "ShardIterator": from("records from the end", "/NextShardIterator"),
            },
        }
    }
}
