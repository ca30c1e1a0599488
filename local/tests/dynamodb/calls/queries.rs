//! `Query`: key conditions, indexes, projections, pages.

use super::{Call, calls, from, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    // Each item has its own owner, because an index returns items with the same key in random
    // order.
    let item = |sk: &str, owner: &str, state: &str, price: &str| {
        serde_json::json!({
            "pk": s("q"), "sk": s(sk), "state": s(state), "price": n(price), "owner": s(owner),
            "created": n(price), "title": s("T"), "text": s("long"),
        })
    };
    calls! {
        PutItem("items") {
            "item 1" => {"Item": item("1", "ann", "open", "30")},
            "item 2" => {"Item": item("2", "bob", "open", "20")},
            "item 3" => {"Item": item("3", "cyd", "done", "10")},
            "item 4 without index keys" => {"Item": key("q", "4")},
        }
        Query("items") {
            "a partition" => {
                "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": s("q")},
            },
            "a partition backwards" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ScanIndexForward": false,
            },
            "an empty partition" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("none")},
            },
            "one item" => {
                "KeyConditionExpression": "pk = :pk AND sk = :sk",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": s("2")},
            },
            "a range with BETWEEN" => {
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :a AND :b",
                "ExpressionAttributeValues": {":pk": s("q"), ":a": s("2"), ":b": s("3")},
            },
            "a range with begins_with" => {
                "KeyConditionExpression": "begins_with(sk, :a) AND pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q"), ":a": s("2")},
            },
            "a range with parentheses" => {
                "KeyConditionExpression": "(pk = :pk) AND (sk >= :a)",
                "ExpressionAttributeValues": {":pk": s("q"), ":a": s("3")},
            },
            "a count" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Select": "COUNT",
            },
            "a filter" => {
                "KeyConditionExpression": "pk = :pk",
                "FilterExpression": "price > :p",
                "ExpressionAttributeValues": {":pk": s("q"), ":p": n("15")},
                "ProjectionExpression": "sk",
            },
            "a query with consumed capacity" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ReturnConsumedCapacity": "INDEXES",
                "Select": "COUNT",
            },
            "page one" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Limit": 2,
            },
            "page two" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Limit": 2,
                "ExclusiveStartKey": from("page one", "/LastEvaluatedKey"),
            },
            "page three" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Limit": 2,
                "ExclusiveStartKey": from("page two", "/LastEvaluatedKey"),
            },
            "a filtered page" => {
                "KeyConditionExpression": "pk = :pk",
                "FilterExpression": "price = :p",
                "ExpressionAttributeValues": {":pk": s("q"), ":p": n("10")},
                "Limit": 1,
            },
            "an index" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s AND price > :p",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("open"), ":p": n("0")},
            },
            "an index, page one" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("open")},
                "Limit": 1,
            },
            "an index, page two" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("open")},
                "ExclusiveStartKey": from("an index, page one", "/LastEvaluatedKey"),
            },
            "an index that carries keys only" => {
                "IndexName": "by-owner",
                "KeyConditionExpression": "#o = :o AND #o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann")},
            },
            "an index that carries some attributes" => {
                "IndexName": "by-owner-and-price",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann")},
            },
            "a local index" => {
                "IndexName": "by-created",
                "KeyConditionExpression": "pk = :pk AND created < :c",
                "ExpressionAttributeValues": {":pk": s("q"), ":c": n("25")},
            },
            "a local index, consistently" => {
                "IndexName": "by-created",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ConsistentRead": true,
            },
            "a local index with an attribute it doesn't carry" => {
                "IndexName": "by-created",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ProjectionExpression": "sk, title",
            },
            "a local index with all attributes" => {
                "IndexName": "by-created",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Select": "ALL_ATTRIBUTES",
            },
            "a global index, consistently" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("open")},
                "ConsistentRead": true,
            },
            "an index with an attribute it doesn't carry" => {
                "IndexName": "by-owner",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann")},
                "ProjectionExpression": "sk, title",
            },
            "an index with an attribute it doesn't carry, by a placeholder" => {
                "IndexName": "by-owner-and-price",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner", "#t": "text"},
                "ExpressionAttributeValues": {":o": s("ann")},
                "ProjectionExpression": "title, #t",
            },
            "an index with a nested attribute it doesn't carry" => {
                "IndexName": "by-owner",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann")},
                "ProjectionExpression": "m.x",
            },
            "an index with AttributesToGet that it doesn't carry" => {
                "IndexName": "by-owner",
                "KeyConditions": {
                    "owner": {"ComparisonOperator": "EQ", "AttributeValueList": [s("ann")]},
                },
                "AttributesToGet": ["title"],
            },
            "an index with attributes it carries" => {
                "IndexName": "by-owner-and-price",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann")},
                "ProjectionExpression": "title, price, #o, pk, sk",
            },
            "an index with all attributes" => {
                "IndexName": "by-owner",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann")},
                "Select": "ALL_ATTRIBUTES",
            },
            "an index with all projected attributes" => {
                "IndexName": "by-owner",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann")},
                "Select": "ALL_PROJECTED_ATTRIBUTES",
            },
            "a filter on an attribute that the index doesn't carry" => {
                "IndexName": "by-owner",
                "KeyConditionExpression": "#o = :o",
                "FilterExpression": "title = :t",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann"), ":t": s("T")},
            },
            "a filter on a key of the index" => {
                "IndexName": "by-owner-and-price",
                "KeyConditionExpression": "#o = :o",
                "FilterExpression": "price > :p",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann"), ":p": n("1")},
            },
            "a filter on the table's key in an index" => {
                "IndexName": "by-owner",
                "KeyConditionExpression": "#o = :o",
                "FilterExpression": "sk > :p",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": s("ann"), ":p": s("1")},
            },
            "all projected attributes of the table" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Select": "ALL_PROJECTED_ATTRIBUTES",
            },
            "specific attributes without naming them" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Select": "SPECIFIC_ATTRIBUTES",
            },
            "a count with a projection" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ProjectionExpression": "pk",
                "Select": "COUNT",
            },
            "an unknown Select" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Select": "ALL",
            },
            "an index that doesn't exist" => {
                "IndexName": "nothing",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
            "an index with a short name" => {
                "IndexName": "x",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
            "an index with the table's key" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
            "no condition" => {},
            "an empty condition" => {"KeyConditionExpression": ""},
            "a condition without the partition key" => {
                "KeyConditionExpression": "sk = :sk", "ExpressionAttributeValues": {":sk": s("1")},
            },
            "an inequality on the partition key" => {
                "KeyConditionExpression": "pk > :pk", "ExpressionAttributeValues": {":pk": s("q")},
            },
            "a prefix of the partition key" => {
                "KeyConditionExpression": "begins_with(pk, :pk)",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
            "an attribute that isn't a key" => {
                "KeyConditionExpression": "pk = :pk AND title = :t",
                "ExpressionAttributeValues": {":pk": s("q"), ":t": s("T")},
            },
            "three conditions" => {
                "KeyConditionExpression": "pk = :pk AND sk > :a AND sk < :b",
                "ExpressionAttributeValues": {":pk": s("q"), ":a": s("1"), ":b": s("3")},
            },
            "OR" => {
                "KeyConditionExpression": "pk = :pk OR pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
            "NOT" => {
                "KeyConditionExpression": "pk = :pk AND NOT sk = :sk",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": s("1")},
            },
            "unequal" => {
                "KeyConditionExpression": "pk = :pk AND sk <> :sk",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": s("1")},
            },
            "IN" => {
                "KeyConditionExpression": "pk = :pk AND sk IN (:sk)",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": s("1")},
            },
            "contains" => {
                "KeyConditionExpression": "pk = :pk AND contains(sk, :sk)",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": s("1")},
            },
            "BETWEEN in the wrong order" => {
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :b AND :a",
                "ExpressionAttributeValues": {":pk": s("q"), ":a": s("1"), ":b": s("3")},
            },
            "the value first" => {
                "KeyConditionExpression": ":pk = pk", "ExpressionAttributeValues": {":pk": s("q")},
            },
            "an empty partition key" => {
                "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": s("")},
            },
            "an empty sort key" => {
                "KeyConditionExpression": "pk = :pk AND sk > :sk",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": s("")},
            },
            "an empty lower bound" => {
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :a AND :b",
                "ExpressionAttributeValues": {":pk": s("q"), ":a": s(""), ":b": s("3")},
            },
            "an empty prefix" => {
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :a)",
                "ExpressionAttributeValues": {":pk": s("q"), ":a": s("")},
            },
            "an empty index key" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("")},
            },
            "a partition key of another type" => {
                "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": n("1")},
            },
            "a sort key of another type" => {
                "KeyConditionExpression": "pk = :pk AND sk = :sk",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": n("1")},
            },
            "begins_with a number" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s AND begins_with(price, :p)",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("open"), ":p": n("1")},
            },
            "a limit of 0" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Limit": 0,
            },
            "a negative limit" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Limit": -1,
            },
            "a limit that isn't a number" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "Limit": "2",
            },
            "a start key without the sort key" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ExclusiveStartKey": {"pk": s("q")},
            },
            "a start key with an extra attribute" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ExclusiveStartKey": {"pk": s("q"), "sk": s("1"), "title": s("T")},
            },
            "a start key of another partition" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ExclusiveStartKey": key("other", "1"),
            },
            "a start key outside of the range" => {
                "KeyConditionExpression": "pk = :pk AND sk < :sk",
                "ExpressionAttributeValues": {":pk": s("q"), ":sk": s("3")},
                "ExclusiveStartKey": key("q", "7"),
            },
            "a start key of an item that doesn't exist" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ExclusiveStartKey": key("q", "25"),
            },
            "a start key of another type" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ExclusiveStartKey": {"pk": s("q"), "sk": n("1")},
            },
            "an empty start key" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ExclusiveStartKey": {},
            },
            "a start key with an empty value" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
                "ExclusiveStartKey": key("q", ""),
            },
            "an index with the table's start key" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("open")},
                "ExclusiveStartKey": key("q", "1"),
            },
            "an index with a start key of another partition" => {
                "IndexName": "by-state",
                "KeyConditionExpression": "#s = :s",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": s("open")},
                "ExclusiveStartKey": {
                    "pk": s("q"), "sk": s("3"), "state": s("done"), "price": n("10"),
                },
            },
            "legacy key conditions" => {
                "KeyConditions": {
                    "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("q")]},
                    "sk": {"ComparisonOperator": "GE", "AttributeValueList": [s("3")]},
                },
            },
            "legacy key conditions with a filter" => {
                "KeyConditions": {
                    "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("q")]},
                },
                "QueryFilter": {
                    "price": {"ComparisonOperator": "GT", "AttributeValueList": [n("15")]},
                },
            },
            "legacy key conditions with an empty value" => {
                "KeyConditions": {
                    "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("q")]},
                    "sk": {"ComparisonOperator": "GE", "AttributeValueList": [s("")]},
                },
            },
            "legacy key conditions beside an expression" => {
                "KeyConditions": {
                    "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("q")]},
                },
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
            "legacy key conditions with an unknown operator" => {
                "KeyConditions": {
                    "pk": {"ComparisonOperator": "IS", "AttributeValueList": [s("q")]},
                },
            },
        }
        Query("numbers") {
            "a sort key on a table without one" => {
                "KeyConditionExpression": "id = :id AND sk = :id",
                "ExpressionAttributeValues": {":id": n("1")},
            },
        }
        Query("blobs") {
            "an empty binary key" => {
                "KeyConditionExpression": "id = :id",
                "ExpressionAttributeValues": {":id": {"B": ""}},
            },
        }
        Query {
            "a table that doesn't exist" => {
                "TableName": "nothing",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
            "no table" => {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": s("q")},
            },
        }
    }
}
