//! Conditional writes: conditions that hold and fail, returned items, and the legacy `Expected`.

use super::{Call, calls, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    calls! {
        PutItem("items") {
            "an item to compare with" => {"Item": {
                "pk": s("c"), "sk": s("1"), "v": n("5"), "name": s("abc"), "tags": {"SS": ["x", "y"]},
                "list": {"L": [n("1"), s("two")]}, "map": {"M": {"a": n("1")}}, "flag": {"BOOL": true},
            }},
            "create what exists" => {
                "Item": key("c", "1"), "ConditionExpression": "attribute_not_exists(pk)",
            },
            "create what exists and return it" => {
                "Item": key("c", "1"),
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            "create what doesn't exist" => {
                "Item": key("c", "2"), "ConditionExpression": "attribute_not_exists(pk)",
            },
            "replace what doesn't exist and return it" => {
                "Item": key("c", "3"),
                "ConditionExpression": "attribute_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            "an unknown ReturnValuesOnConditionCheckFailure" => {
                "Item": key("c", "3"),
                "ConditionExpression": "attribute_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_NEW",
            },
            "a legacy expectation that fails" => {
                "Item": key("c", "1"), "Expected": {"v": {"Value": n("6")}},
            },
            "a legacy expectation that an attribute is missing" => {
                "Item": key("c", "1"), "Expected": {"pk": {"Exists": false}},
            },
            "a legacy expectation with a comparison" => {
                "Item": key("c", "1"),
                "Expected": {"v": {"ComparisonOperator": "GT", "AttributeValueList": [n("9")]}},
            },
            "a legacy expectation that contradicts itself" => {
                "Item": key("c", "1"), "Expected": {"v": {"Exists": false, "Value": n("1")}},
            },
            "a legacy expectation of nothing" => {"Item": key("c", "1"), "Expected": {"v": {}}},
            "a legacy expectation beside a condition" => {
                "Item": key("c", "1"),
                "Expected": {"v": {"Value": n("6")}},
                "ConditionExpression": "attribute_exists(pk)",
            },
            "a conditional operator without expectations" => {
                "Item": key("c", "1"), "ConditionalOperator": "AND",
            },
        }
        DeleteItem("items") {
            "delete if equal, and it isn't" => {
                "Key": key("c", "1"),
                "ConditionExpression": "v = :v",
                "ExpressionAttributeValues": {":v": n("6")},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            "delete if equal, but the types differ" => {
                "Key": key("c", "1"),
                "ConditionExpression": "v = :v",
                "ExpressionAttributeValues": {":v": s("5")},
            },
            "delete what doesn't exist if equal" => {
                "Key": key("c", "9"),
                "ConditionExpression": "v = :v",
                "ExpressionAttributeValues": {":v": n("5")},
            },
            "delete what doesn't exist if unequal" => {
                "Key": key("c", "9"),
                "ConditionExpression": "v <> :v",
                "ExpressionAttributeValues": {":v": n("5")},
                "ReturnValues": "ALL_OLD",
            },
        }
        UpdateItem("items") {
            "a condition with comparisons, AND, OR and NOT" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :one",
                "ConditionExpression":
                    "(v > :one AND v <= :five) AND NOT (v < :one OR v <> :five) AND v >= :five",
                "ExpressionAttributeValues": {":one": n("1"), ":five": n("5")},
                "ReturnValues": "UPDATED_NEW",
            },
            "a condition with BETWEEN and IN" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :two",
                "ConditionExpression": "v BETWEEN :two AND :five AND v IN (:two, :five)",
                "ExpressionAttributeValues": {":two": n("2"), ":five": n("5")},
                "ReturnValues": "UPDATED_NEW",
            },
            "a condition with every function" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :three",
                "ConditionExpression":
                    "attribute_exists(map.a) AND attribute_not_exists(map.b) \
                     AND attribute_type(v, :type) AND begins_with(#name, :a) \
                     AND contains(#name, :b) AND contains(tags, :x) AND contains(#list, :two) \
                     AND size(#name) = :three AND size(#list) < size(#name)",
                "ExpressionAttributeNames": {"#name": "name", "#list": "list"},
                "ExpressionAttributeValues": {
                    ":three": n("3"), ":type": s("N"), ":a": s("a"), ":b": s("b"), ":x": s("x"),
                    ":two": s("two"),
                },
                "ReturnValues": "UPDATED_NEW",
            },
            "a condition on a list element" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :v",
                "ConditionExpression": "#list[1] = :v",
                "ExpressionAttributeNames": {"#list": "list"},
                "ExpressionAttributeValues": {":v": s("two")},
            },
            "a condition past the end of a list" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :v",
                "ConditionExpression": "#list[7] = :v",
                "ExpressionAttributeNames": {"#list": "list"},
                "ExpressionAttributeValues": {":v": s("two")},
            },
            "a condition that compares a set" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :v",
                "ConditionExpression": "tags = :v",
                "ExpressionAttributeValues": {":v": {"SS": ["y", "x"]}},
                "ReturnValues": "UPDATED_NEW",
            },
            "a condition that compares a map" => {
                "Key": key("c", "1"),
                "UpdateExpression": "REMOVE ok",
                "ConditionExpression": "#map = :v",
                "ExpressionAttributeNames": {"#map": "map"},
                "ExpressionAttributeValues": {":v": {"M": {"a": n("1.0")}}},
            },
            "a condition that orders different types" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :v",
                "ConditionExpression": "v < :v",
                "ExpressionAttributeValues": {":v": s("9")},
            },
            "a condition that orders booleans" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :v",
                "ConditionExpression": "flag < :v",
                "ExpressionAttributeValues": {":v": {"BOOL": false}},
            },
            "a condition with BETWEEN in the wrong order" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :a",
                "ConditionExpression": "v BETWEEN :b AND :a",
                "ExpressionAttributeValues": {":a": n("1"), ":b": n("9")},
            },
            "a condition with BETWEEN of two types" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :a",
                "ConditionExpression": "v BETWEEN :a AND :b",
                "ExpressionAttributeValues": {":a": n("1"), ":b": s("9")},
            },
            "a condition with an unknown attribute type" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :a",
                "ConditionExpression": "attribute_type(v, :a)",
                "ExpressionAttributeValues": {":a": s("Number")},
            },
            "a condition with an attribute type that isn't a string" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :a",
                "ConditionExpression": "attribute_type(v, :a)",
                "ExpressionAttributeValues": {":a": n("1")},
            },
            "a condition with begins_with of a number" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :a",
                "ConditionExpression": "begins_with(v, :a)",
                "ExpressionAttributeValues": {":a": n("1")},
            },
            "a condition on the size of a number" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :a",
                "ConditionExpression": "size(v) = :a",
                "ExpressionAttributeValues": {":a": n("1")},
            },
            "a condition with a function on a value" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET ok = :a",
                "ConditionExpression": "attribute_exists(:a)",
                "ExpressionAttributeValues": {":a": n("1")},
            },
            "a condition that fails and returns the item" => {
                "Key": key("c", "1"),
                "UpdateExpression": "SET v = v + :one",
                "ConditionExpression": "v = :one",
                "ExpressionAttributeValues": {":one": n("1")},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        }
        GetItem("items") {
            "the item after failed conditions" => {"Key": key("c", "1")},
        }
    }
}
