//! `Scan`.

use super::{Call, calls, from, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    let item = |sk: &str, price: &str| {
        serde_json::json!({
            "pk": s("s"), "sk": s(sk), "state": s("open"), "price": n(price), "owner": s("ann"),
            "title": s("T"),
        })
    };
    calls! {
        PutItem("items") {
            "item 1" => {"Item": item("1", "30")},
            "item 2" => {"Item": item("2", "20")},
            "item 3 without index keys" => {"Item": key("s", "3")},
        }
        Scan("items") {
            "everything" => {},
            "everything, consistently" => {"ConsistentRead": true},
            "a count" => {"Select": "COUNT"},
            "a filter" => {
                "FilterExpression": "price > :p", "ExpressionAttributeValues": {":p": n("25")},
            },
            "a filter on the key" => {
                "FilterExpression": "sk > :p", "ExpressionAttributeValues": {":p": s("1")},
            },
            "a projection" => {"ProjectionExpression": "sk, price"},
            "an index" => {"IndexName": "by-state"},
            "an index that carries keys only" => {"IndexName": "by-owner"},
            "a global index, consistently" => {"IndexName": "by-state", "ConsistentRead": true},
            "a local index, consistently" => {"IndexName": "by-created", "ConsistentRead": true},
            "an index with an attribute it doesn't carry" => {
                "IndexName": "by-owner", "ProjectionExpression": "sk, title",
            },
            "an index with an attribute it doesn't carry, by a placeholder" => {
                "IndexName": "by-owner",
                "ProjectionExpression": "#t",
                "ExpressionAttributeNames": {"#t": "title"},
            },
            "an index with AttributesToGet that it doesn't carry" => {
                "IndexName": "by-owner", "AttributesToGet": ["title"],
            },
            "an index with all attributes" => {
                "IndexName": "by-owner", "Select": "ALL_ATTRIBUTES",
            },
            "an index with a filter on what it doesn't carry" => {
                "IndexName": "by-owner",
                "FilterExpression": "title = :t",
                "ExpressionAttributeValues": {":t": s("T")},
            },
            "an index that doesn't exist" => {"IndexName": "nothing"},
            "a page" => {"Limit": 2},
            "the next page" => {"ExclusiveStartKey": from("a page", "/LastEvaluatedKey")},
            "a limit of 0" => {"Limit": 0},
            "a limit that is too large" => {"Limit": 3_000_000_000_u32},
            "a start key without the sort key" => {"ExclusiveStartKey": {"pk": s("s")}},
            "a start key of another type" => {"ExclusiveStartKey": {"pk": s("s"), "sk": n("1")}},
            "a start key with an empty value" => {"ExclusiveStartKey": key("s", "")},
            "a start key that isn't from an index" => {
                "IndexName": "by-state", "ExclusiveStartKey": key("s", "1"),
            },
            "all segments but one" => {"Segment": 0, "TotalSegments": 1},
            "a segment without a total" => {"Segment": 0},
            "a total without a segment" => {"TotalSegments": 2},
            "a segment that doesn't exist" => {"Segment": 2, "TotalSegments": 2},
            "too many segments" => {"Segment": 0, "TotalSegments": 1_000_001},
            "no segments" => {"Segment": 0, "TotalSegments": 0},
            "a negative segment" => {"Segment": -1, "TotalSegments": 2},
            "values without a filter" => {"ExpressionAttributeValues": {":p": n("25")}},
            "an undefined value" => {"FilterExpression": "price > :p"},
            "a malformed filter" => {
                "FilterExpression": "price >> :p", "ExpressionAttributeValues": {":p": n("25")},
            },
            "a legacy filter" => {
                "ScanFilter": {
                    "price": {"ComparisonOperator": "GT", "AttributeValueList": [n("25")]},
                },
            },
            "a legacy filter beside an expression" => {
                "ScanFilter": {
                    "price": {"ComparisonOperator": "GT", "AttributeValueList": [n("25")]},
                },
                "FilterExpression": "attribute_exists(pk)",
            },
            "a legacy filter with too many values" => {
                "ScanFilter": {
                    "price": {"ComparisonOperator": "GT", "AttributeValueList": [n("1"), n("2")]},
                },
            },
            "all projected attributes of the table" => {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "a scan with consumed capacity" => {
                "Select": "COUNT", "ReturnConsumedCapacity": "TOTAL",
            },
            "an unknown parameter" => {"Nonsense": true},
        }
        Scan {
            "a table that doesn't exist" => {"TableName": "nothing"},
            "no table" => {},
        }
    }
}
