//! `UpdateItem`.

use super::{Call, calls, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    calls! {
        UpdateItem("items") {
            "create by update" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = :a, m = :m, l = :l",
                "ExpressionAttributeValues": {
                    ":a": n("1"), ":m": {"M": {"x": n("1")}}, ":l": {"L": [n("1"), n("2"), n("3")]},
                },
                "ReturnValues": "ALL_NEW",
            },
            "return the old item" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = a + :a",
                "ExpressionAttributeValues": {":a": n("0.5")},
                "ReturnValues": "ALL_OLD",
            },
            "return the changed attributes" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = a - :a, m.x = :a",
                "ExpressionAttributeValues": {":a": n("1")},
                "ReturnValues": "UPDATED_NEW",
            },
            "return the attributes before the change" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET m.y = :a REMOVE a",
                "ExpressionAttributeValues": {":a": n("1")},
                "ReturnValues": "UPDATED_OLD",
            },
            "an update without an expression" => {"Key": key("u", "2"), "ReturnValues": "ALL_NEW"},
            "an empty update expression" => {"Key": key("u", "1"), "UpdateExpression": ""},
            "if_not_exists and list_append" => {
                "Key": key("u", "1"),
                "UpdateExpression":
                    "SET c = if_not_exists(c, :zero) + :one, l = list_append(l, :l), \
                     k = list_append(if_not_exists(k, :l), :l)",
                "ExpressionAttributeValues": {
                    ":zero": n("0"), ":one": n("1"), ":l": {"L": [s("end")]},
                },
                "ReturnValues": "ALL_NEW",
            },
            "set elements of a list" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET l[0] = :v, l[9] = :w",
                "ExpressionAttributeValues": {":v": s("first"), ":w": s("last")},
                "ReturnValues": "ALL_NEW",
            },
            "remove elements of a list" => {
                "Key": key("u", "1"),
                "UpdateExpression": "REMOVE l[0], l[1]",
                "ReturnValues": "UPDATED_NEW",
            },
            "remove what doesn't exist" => {
                "Key": key("u", "1"), "UpdateExpression": "REMOVE nothing", "ReturnValues": "ALL_NEW",
            },
            "add to a number and to a set" => {
                "Key": key("u", "1"),
                "UpdateExpression": "ADD hits :one, tags :tags",
                "ExpressionAttributeValues": {":one": n("1"), ":tags": {"SS": ["a", "b"]}},
                "ReturnValues": "UPDATED_NEW",
            },
            "delete from a set" => {
                "Key": key("u", "1"),
                "UpdateExpression": "DELETE tags :tags",
                "ExpressionAttributeValues": {":tags": {"SS": ["a", "c"]}},
                "ReturnValues": "UPDATED_NEW",
            },
            "delete a set's last element" => {
                "Key": key("u", "1"),
                "UpdateExpression": "DELETE tags :tags",
                "ExpressionAttributeValues": {":tags": {"SS": ["b"]}},
                "ReturnValues": "ALL_NEW",
            },
            "add to a string" => {
                "Key": key("u", "1"),
                "UpdateExpression": "ADD sk :one",
                "ExpressionAttributeValues": {":one": n("1")},
            },
            "add a string" => {
                "Key": key("u", "1"),
                "UpdateExpression": "ADD hits :one",
                "ExpressionAttributeValues": {":one": s("1")},
            },
            "add to a number a set" => {
                "Key": key("u", "1"),
                "UpdateExpression": "ADD hits :set",
                "ExpressionAttributeValues": {":set": {"NS": ["1"]}},
            },
            "delete a number" => {
                "Key": key("u", "1"),
                "UpdateExpression": "DELETE hits :one",
                "ExpressionAttributeValues": {":one": n("1")},
            },
            "set a key" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET sk = :v",
                "ExpressionAttributeValues": {":v": s("2")},
            },
            "remove a key" => {"Key": key("u", "1"), "UpdateExpression": "REMOVE pk"},
            "set an index key to another type" => {
                "Key": key("u", "9"),
                "UpdateExpression": "SET #s = :v",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "set an index key to an empty string" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET #s = :v",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":v": s("")},
            },
            "set an attribute twice" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = :v, a = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "set overlapping paths" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET m = :v, m.x = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "set and remove the same attribute" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = :v REMOVE a",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "set conflicting paths" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET m.x = :v, m[0] = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "two SET clauses" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = :v SET b = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "a clause in lower case" => {
                "Key": key("u", "1"),
                "UpdateExpression": "set d = :v remove e add f :v",
                "ExpressionAttributeValues": {":v": n("2")},
                "ReturnValues": "UPDATED_NEW",
            },
            "set in a map that doesn't exist" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET nothing.x = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "set in a number" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET hits.x = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "set to an attribute that doesn't exist" => {
                "Key": key("u", "1"), "UpdateExpression": "SET a = nothing",
            },
            "add an attribute that doesn't exist" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = nothing + :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "add a number and a string" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = hits + :v",
                "ExpressionAttributeValues": {":v": s("2")},
            },
            "append to a number" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET hits = list_append(hits, :v)",
                "ExpressionAttributeValues": {":v": {"L": []}},
            },
            "append a string" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET l = list_append(l, :v)",
                "ExpressionAttributeValues": {":v": s("2")},
            },
            "three operands" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = hits + :v + :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "a multiplication" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = hits * :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "an unknown clause" => {
                "Key": key("u", "1"),
                "UpdateExpression": "PUT a = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "an unknown function" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = if_exists(a, :v)",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "a condition's function" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = size(pk)",
            },
            "a reserved word" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET status = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "an undefined value" => {"Key": key("u", "1"), "UpdateExpression": "SET a = :v"},
            "an undefined name" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET #a = :v",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "an unused value" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = :v",
                "ExpressionAttributeValues": {":v": n("2"), ":w": n("2")},
            },
            "a value used by the condition only" => {
                "Key": key("u", "1"),
                "UpdateExpression": "REMOVE a",
                "ConditionExpression": "pk = :v",
                "ExpressionAttributeValues": {":v": s("u")},
                "ReturnValues": "UPDATED_NEW",
            },
            "a trailing comma" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET a = :v,",
                "ExpressionAttributeValues": {":v": n("2")},
            },
            "a number that overflows" => {
                "Key": key("u", "1"),
                "UpdateExpression": "SET big = :v",
                "ExpressionAttributeValues": {":v": n("1E+126")},
            },
            "an update without a key" => {"UpdateExpression": "REMOVE a"},
            "an update without the sort key" => {
                "Key": {"pk": s("u")}, "UpdateExpression": "REMOVE a",
            },
            "an update of an empty sort key" => {
                "Key": key("u", ""), "UpdateExpression": "REMOVE a",
            },
            "an update of a key of another type" => {
                "Key": {"pk": s("u"), "sk": n("1")}, "UpdateExpression": "REMOVE a",
            },
            "an unknown ReturnValues" => {
                "Key": key("u", "1"), "UpdateExpression": "REMOVE a", "ReturnValues": "NEW",
            },
            "legacy updates" => {
                "Key": key("u", "3"),
                "AttributeUpdates": {
                    "a": {"Action": "PUT", "Value": n("1")}, "b": {"Action": "ADD", "Value": n("2")},
                },
                "ReturnValues": "ALL_NEW",
            },
            "legacy updates beside an expression" => {
                "Key": key("u", "3"),
                "AttributeUpdates": {"a": {"Action": "PUT", "Value": n("1")}},
                "UpdateExpression": "REMOVE a",
            },
            "legacy updates with an unknown action" => {
                "Key": key("u", "3"),
                "AttributeUpdates": {"a": {"Action": "SET", "Value": n("1")}},
            },
            "legacy updates of a key" => {
                "Key": key("u", "3"),
                "AttributeUpdates": {"sk": {"Action": "PUT", "Value": s("1")}},
            },
            "update with consumed capacity" => {
                "Key": key("u", "3"),
                "UpdateExpression": "REMOVE a",
                "ReturnConsumedCapacity": "TOTAL",
            },
        }
        UpdateItem {
            "update a table that doesn't exist" => {
                "TableName": "nothing", "Key": key("u", "1"), "UpdateExpression": "REMOVE a",
            },
        }
        GetItem("items") {
            "the item after all updates" => {"Key": key("u", "1")},
        }
    }
}
