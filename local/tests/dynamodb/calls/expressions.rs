//! Malformed expressions, placeholders, reserved words.

use super::{Call, calls, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    let long = format!("a = :a{}", " OR a = :a".repeat(500));
    calls! {
        PutItem("items") {
            "an empty condition" => {"Item": key("e", "1"), "ConditionExpression": ""},
            "a condition with only spaces" => {"Item": key("e", "1"), "ConditionExpression": "  "},
            "a condition with a missing operand" => {
                "Item": key("e", "1"), "ConditionExpression": "pk =",
            },
            "a condition with an open parenthesis" => {
                "Item": key("e", "1"), "ConditionExpression": "(attribute_exists(pk)",
            },
            "a condition with redundant parentheses" => {
                "Item": key("e", "1"), "ConditionExpression": "((attribute_not_exists(pk)))",
            },
            "a condition with an unknown function" => {
                "Item": key("e", "1"), "ConditionExpression": "exists(pk)",
            },
            "a condition with a function in capitals" => {
                "Item": key("e", "1"), "ConditionExpression": "ATTRIBUTE_EXISTS(pk)",
            },
            "a condition with too few arguments" => {
                "Item": key("e", "1"), "ConditionExpression": "begins_with(pk)",
            },
            "a condition with an argument of its own" => {
                "Item": key("e", "1"),
                "ConditionExpression": "contains(pk, pk)",
            },
            "a condition that is a value" => {
                "Item": key("e", "1"),
                "ConditionExpression": ":a",
                "ExpressionAttributeValues": {":a": n("1")},
            },
            "a condition that compares an attribute with itself" => {
                "Item": key("e", "1"), "ConditionExpression": "pk = pk",
            },
            "a condition with an unknown operator" => {
                "Item": key("e", "1"),
                "ConditionExpression": "pk == :a",
                "ExpressionAttributeValues": {":a": s("1")},
            },
            "a condition with a literal" => {
                "Item": key("e", "1"), "ConditionExpression": "pk = 'a'",
            },
            "a condition with a reserved word" => {
                "Item": key("e", "1"), "ConditionExpression": "attribute_exists(name)",
            },
            "a condition with a reserved word in a path" => {
                "Item": key("e", "1"), "ConditionExpression": "attribute_exists(a.status)",
            },
            "a condition with an undefined value" => {
                "Item": key("e", "1"), "ConditionExpression": "pk = :a",
            },
            "a condition with another undefined value" => {
                "Item": key("e", "1"),
                "ConditionExpression": "pk = :b",
                "ExpressionAttributeValues": {":a": s("1")},
            },
            "a condition with an undefined name" => {
                "Item": key("e", "1"), "ConditionExpression": "attribute_exists(#a)",
            },
            "a condition with an unused value" => {
                "Item": key("e", "1"),
                "ConditionExpression": "attribute_not_exists(a)",
                "ExpressionAttributeValues": {":a": s("1")},
            },
            "a condition with an unused name" => {
                "Item": key("e", "1"),
                "ConditionExpression": "attribute_not_exists(a)",
                "ExpressionAttributeNames": {"#a": "a"},
            },
            "values without an expression" => {
                "Item": key("e", "1"), "ExpressionAttributeValues": {":a": s("1")},
            },
            "names without an expression" => {
                "Item": key("e", "1"), "ExpressionAttributeNames": {"#a": "a"},
            },
            "empty values" => {
                "Item": key("e", "1"),
                "ConditionExpression": "attribute_not_exists(a)",
                "ExpressionAttributeValues": {},
            },
            "empty names" => {
                "Item": key("e", "1"),
                "ConditionExpression": "attribute_not_exists(a)",
                "ExpressionAttributeNames": {},
            },
            "a value without a colon" => {
                "Item": key("e", "1"),
                "ConditionExpression": "a = :a",
                "ExpressionAttributeValues": {"a": s("1")},
            },
            "a name without a hash" => {
                "Item": key("e", "1"),
                "ConditionExpression": "attribute_not_exists(#a)",
                "ExpressionAttributeNames": {"a": "a"},
            },
            "a name for an empty attribute" => {
                "Item": key("e", "1"),
                "ConditionExpression": "attribute_not_exists(#a)",
                "ExpressionAttributeNames": {"#a": ""},
            },
            "a value that is an empty set" => {
                "Item": key("e", "1"),
                "ConditionExpression": "a = :a",
                "ExpressionAttributeValues": {":a": {"SS": []}},
            },
            "a value without a type" => {
                "Item": key("e", "1"),
                "ConditionExpression": "a = :a",
                "ExpressionAttributeValues": {":a": {}},
            },
            "a condition over 4 KB" => {
                "Item": key("e", "1"),
                "ConditionExpression": long,
                "ExpressionAttributeValues": {":a": s("1")},
            },
            "a condition that isn't a string" => {"Item": key("e", "1"), "ConditionExpression": 1},
        }
        GetItem("items") {
            "an empty projection" => {"Key": key("e", "1"), "ProjectionExpression": ""},
            "a projection with a trailing comma" => {
                "Key": key("e", "1"), "ProjectionExpression": "pk,",
            },
            "a projection with duplicates" => {
                "Key": key("e", "1"), "ProjectionExpression": "pk, pk",
            },
            "a projection with overlapping paths" => {
                "Key": key("e", "1"), "ProjectionExpression": "a, a.b",
            },
            "a projection with conflicting paths" => {
                "Key": key("e", "1"), "ProjectionExpression": "a.b, a[0]",
            },
            "a projection with a reserved word" => {
                "Key": key("e", "1"), "ProjectionExpression": "pk, name",
            },
            "a projection with a reserved word in capitals" => {
                "Key": key("e", "1"), "ProjectionExpression": "NAME",
            },
            "a projection with an undefined name" => {
                "Key": key("e", "1"), "ProjectionExpression": "#a",
            },
            "a projection with an unused name" => {
                "Key": key("e", "1"),
                "ProjectionExpression": "pk",
                "ExpressionAttributeNames": {"#a": "a"},
            },
            "a projection with a malformed path" => {
                "Key": key("e", "1"), "ProjectionExpression": "a..b",
            },
            "a projection with a negative index" => {
                "Key": key("e", "1"), "ProjectionExpression": "a[-1]",
            },
            "a projection with a dash" => {"Key": key("e", "1"), "ProjectionExpression": "a-b"},
            "a projection with a leading underscore" => {
                "Key": key("e", "1"), "ProjectionExpression": "_a",
            },
            "a projection with a leading digit" => {
                "Key": key("e", "1"), "ProjectionExpression": "1a",
            },
            "a name with a dot is one attribute" => {
                "Key": key("e", "1"),
                "ProjectionExpression": "#a",
                "ExpressionAttributeNames": {"#a": "a.b"},
            },
        }
        PutItem("items") {
            "an item with nested values" => {"Item": {
                "pk": s("e"), "sk": s("2"), "a.b": n("1"),
                "m": {"M": {"x": n("1"), "y": {"M": {"z": n("2")}}}},
                "l": {"L": [n("0"), {"M": {"k": n("1"), "j": n("2")}}, n("2")]},
            }},
        }
        GetItem("items") {
            "nested attributes" => {"Key": key("e", "2"), "ProjectionExpression": "m.y.z, l[1].k"},
            "two elements of a list" => {"Key": key("e", "2"), "ProjectionExpression": "l[2], l[0]"},
            "an element past the end" => {"Key": key("e", "2"), "ProjectionExpression": "l[9]"},
            "an attribute of a number" => {"Key": key("e", "2"), "ProjectionExpression": "m.x.q"},
            "an attribute with a dot in its name" => {
                "Key": key("e", "2"),
                "ProjectionExpression": "#a",
                "ExpressionAttributeNames": {"#a": "a.b"},
            },
        }
        Query("items") {
            "a condition on the key in a filter" => {
                "KeyConditionExpression": "pk = :a",
                "FilterExpression": "sk = :a",
                "ExpressionAttributeValues": {":a": s("a")},
            },
            "an empty filter" => {
                "KeyConditionExpression": "pk = :a",
                "FilterExpression": "",
                "ExpressionAttributeValues": {":a": s("a")},
            },
            "a filter with a reserved word" => {
                "KeyConditionExpression": "pk = :a",
                "FilterExpression": "status = :a",
                "ExpressionAttributeValues": {":a": s("a")},
            },
            "a filter with an undefined value" => {
                "KeyConditionExpression": "pk = :a",
                "FilterExpression": "b = :b",
                "ExpressionAttributeValues": {":a": s("a")},
            },
            "a query with an unused value" => {
                "KeyConditionExpression": "pk = :a",
                "ExpressionAttributeValues": {":a": s("a"), ":b": s("b")},
            },
            "a query with an unused name" => {
                "KeyConditionExpression": "pk = :a",
                "ExpressionAttributeNames": {"#a": "a"},
                "ExpressionAttributeValues": {":a": s("a")},
            },
        }
    }
}
