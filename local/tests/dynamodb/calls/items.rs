//! `PutItem`, `GetItem` and `DeleteItem`: parameters, keys and values.

use super::{Call, calls, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    calls! {
        PutItem("items") {
            "put an item of every type" => {"Item": {
                "pk": {"S": "a"}, "sk": {"S": "1"}, "s": {"S": "text"}, "n": {"N": "1.50"},
                "b": {"B": "YQ=="}, "bool": {"BOOL": true}, "null": {"NULL": true},
                "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["2", "1.0"]}, "bs": {"BS": ["YQ=="]},
                "l": {"L": [{"S": "x"}, {"N": "1"}]}, "m": {"M": {"x": {"L": []}, "y": {"M": {}}}},
            }},
            "put with the old item" => {
                "Item": {"pk": {"S": "a"}, "sk": {"S": "1"}, "v": {"N": "2"}},
                "ReturnValues": "ALL_OLD",
            },
            "put without an old item" => {"Item": key("a", "2"), "ReturnValues": "ALL_OLD"},
            "put with consumed capacity" => {
                "Item": key("a", "3"), "ReturnConsumedCapacity": "TOTAL",
            },
            "put with consumed capacity of indexes" => {
                "Item": {"pk": s("a"), "sk": s("4"), "state": s("open"), "price": n("1")},
                "ReturnConsumedCapacity": "INDEXES",
            },
            "put an empty string outside of the key" => {
                "Item": {"pk": s("a"), "sk": s("5"), "text": s("")},
            },
            "put an empty partition key" => {"Item": key("", "1")},
            "put an empty sort key" => {"Item": key("a", "")},
            "put an empty index key" => {"Item": {"pk": s("a"), "sk": s("1"), "state": s("")}},
            "put without the sort key" => {"Item": {"pk": s("a")}},
            "put without any key" => {"Item": {"v": n("1")}},
            "put an empty item" => {"Item": {}},
            "put a key of another type" => {"Item": {"pk": n("1"), "sk": s("1")}},
            "put an index key of another type" => {
                "Item": {"pk": s("a"), "sk": s("1"), "state": n("1")},
            },
            "put a null index key" => {
                "Item": {"pk": s("a"), "sk": s("1"), "state": {"NULL": true}},
            },
            "put a key of the local index of another type" => {
                "Item": {"pk": s("a"), "sk": s("1"), "created": s("1")},
            },
            "put an empty set" => {"Item": {"pk": s("a"), "sk": s("1"), "v": {"SS": []}}},
            "put a set with duplicates" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"SS": ["a", "a"]}},
            },
            "put a number set with equal numbers" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"NS": ["1", "1.0"]}},
            },
            "put a set with an empty string" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"SS": [""]}},
            },
            "put a binary set with an empty value" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"BS": [""]}},
            },
            "put an empty number" => {"Item": {"pk": s("a"), "sk": s("1"), "v": n("")}},
            "put a number that isn't one" => {"Item": {"pk": s("a"), "sk": s("1"), "v": n("x")}},
            "put a number with a space" => {"Item": {"pk": s("a"), "sk": s("1"), "v": n(" 1")}},
            "put a number as JSON number" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"N": 1}},
            },
            "put a string as JSON number" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"S": 1}},
            },
            "put a boolean as string" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"BOOL": "true"}},
            },
            "put a null that is false" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"NULL": false}},
            },
            "put a binary that isn't base64" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"B": "%"}},
            },
            "put a value without a type" => {"Item": {"pk": s("a"), "sk": s("1"), "v": {}}},
            "put a value with two types" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"S": "a", "N": "1"}},
            },
            "put a value with an unknown type" => {
                "Item": {"pk": s("a"), "sk": s("1"), "v": {"X": "a"}},
            },
            "put a plain value" => {"Item": {"pk": s("a"), "sk": s("1"), "v": "a"}},
            "put a number of 38 digits" => {
                "Item": {"pk": s("n"), "sk": s("38"), "v": n(&"9".repeat(38))},
            },
            "put a number of 39 digits" => {
                "Item": {"pk": s("n"), "sk": s("39"), "v": n(&"9".repeat(39))},
            },
            "put the largest number" => {
                "Item": {"pk": s("n"), "sk": s("max"), "v": n("9.9E+125")},
            },
            "put a number that is too large" => {
                "Item": {"pk": s("n"), "sk": s("1"), "v": n("1E+126")},
            },
            "put a number that is too small" => {
                "Item": {"pk": s("n"), "sk": s("1"), "v": n("1E-131")},
            },
            "put numbers in other notations" => {
                "Item": {"pk": s("n"), "sk": s("notations"), "v": {"L": [
                    n("1e2"), n("+5"), n("007"), n("-0"), n("1.10"), n("0.00001"), n(".5"), n("5."),
                ]}},
            },
            "put without an item" => {},
            "put with a null item" => {"Item": null},
            "put with a list as item" => {"Item": []},
            "put with an unknown parameter" => {"Item": key("a", "1"), "Nonsense": 1},
            "put with an unknown ReturnValues" => {"Item": key("a", "1"), "ReturnValues": "ALL"},
            "put with ReturnValues for updates only" => {
                "Item": key("a", "1"), "ReturnValues": "ALL_NEW",
            },
            "put with an unknown ReturnConsumedCapacity" => {
                "Item": key("a", "1"), "ReturnConsumedCapacity": "SOME",
            },
            "put with item collection metrics" => {
                "Item": key("a", "1"), "ReturnItemCollectionMetrics": "SIZE",
            },
            "put with an unknown ReturnItemCollectionMetrics" => {
                "Item": key("a", "1"), "ReturnItemCollectionMetrics": "ALL",
            },
        }
        PutItem {
            "put without a table" => {"Item": key("a", "1")},
            "put into a table that doesn't exist" => {"TableName": "nothing", "Item": key("a", "1")},
            "put into a table with a short name" => {"TableName": "ab", "Item": key("a", "1")},
            "put into a table with a malformed name" => {
                "TableName": "a table", "Item": key("a", "1"),
            },
            "put into a table with an empty name" => {"TableName": "", "Item": key("a", "1")},
            "put into a table with a name of 256" => {
                "TableName": ("t".repeat(256)), "Item": key("a", "1"),
            },
            "put into a table with a number as name" => {"TableName": 1, "Item": key("a", "1")},
        }
        PutItem("blobs") {
            "put a binary key" => {"Item": {"id": {"B": "YQ=="}}},
            "put an empty binary key" => {"Item": {"id": {"B": ""}}},
        }
        PutItem("numbers") {
            "put a number key" => {"Item": {"id": n("1.0")}},
            "put an empty number key" => {"Item": {"id": n("")}},
        }
        GetItem("numbers") {
            "get by an equal number" => {"Key": {"id": n("1")}},
        }
        GetItem("items") {
            "get an item" => {"Key": key("a", "1")},
            "get an item that doesn't exist" => {"Key": key("a", "9")},
            "get consistently" => {"Key": key("a", "2"), "ConsistentRead": true},
            "get with consumed capacity" => {
                "Key": key("a", "2"), "ReturnConsumedCapacity": "TOTAL",
            },
            "get numbers" => {"Key": key("n", "notations")},
            "get some attributes" => {"Key": key("a", "1"), "ProjectionExpression": "pk, v"},
            "get a legacy list of attributes" => {"Key": key("a", "1"), "AttributesToGet": ["v"]},
            "get with projection and legacy list" => {
                "Key": key("a", "1"), "AttributesToGet": ["v"], "ProjectionExpression": "v",
            },
            "get an empty legacy list" => {"Key": key("a", "1"), "AttributesToGet": []},
            "get a legacy list with duplicates" => {
                "Key": key("a", "1"), "AttributesToGet": ["v", "v"],
            },
            "get an empty partition key" => {"Key": key("", "1")},
            "get an empty sort key" => {"Key": key("a", "")},
            "get without the sort key" => {"Key": {"pk": s("a")}},
            "get with an extra key" => {"Key": {"pk": s("a"), "sk": s("1"), "v": n("2")}},
            "get with another attribute instead" => {"Key": {"pk": s("a"), "v": n("2")}},
            "get a key of another type" => {"Key": {"pk": n("1"), "sk": s("1")}},
            "get an empty key" => {"Key": {}},
            "get without a key" => {},
            "get a key without types" => {"Key": {"pk": "a", "sk": "1"}},
            "get with a string as ConsistentRead" => {
                "Key": key("a", "1"), "ConsistentRead": "yes",
            },
        }
        GetItem {
            "get without a table" => {"Key": key("a", "1")},
            "get from a table that doesn't exist" => {"TableName": "nothing", "Key": key("a", "1")},
        }
        DeleteItem("items") {
            "delete with the old item" => {"Key": key("a", "1"), "ReturnValues": "ALL_OLD"},
            "delete an item that doesn't exist" => {
                "Key": key("a", "1"), "ReturnValues": "ALL_OLD",
            },
            "delete with ReturnValues for updates only" => {
                "Key": key("a", "1"), "ReturnValues": "UPDATED_NEW",
            },
            "delete an empty partition key" => {"Key": key("", "1")},
            "delete without the sort key" => {"Key": {"pk": s("a")}},
            "delete with an extra key" => {"Key": {"pk": s("a"), "sk": s("1"), "v": n("2")}},
            "delete a key of another type" => {"Key": {"pk": s("a"), "sk": n("1")}},
            "delete without a key" => {},
            "delete with consumed capacity" => {
                "Key": key("a", "2"), "ReturnConsumedCapacity": "INDEXES",
            },
        }
        DeleteItem {
            "delete from a table that doesn't exist" => {
                "TableName": "nothing", "Key": key("a", "1"),
            },
        }
    }
}
