//! What isn't a proper call at all, and PartiQL.

use super::{Call, calls, key, n, s};

pub(crate) fn calls() -> Vec<Call> {
    calls! {
        GetItem {
            "a body that isn't JSON" => "not json",
            "an empty body" => "",
            "a body that is a list" => "[]",
            "a body that is a string" => "\"text\"",
            "a body that is null" => "null",
            "a body that ends early" => "{\"TableName\": \"items\"",
            "an empty object" => {},
            "a key that is a list" => {"TableName": "items", "Key": [1]},
            "a key that is a string" => {"TableName": "items", "Key": "a"},
            "a duplicate member" => r#"{
                "TableName": "nothing", "TableName": "items",
                "Key": {"pk": {"S": "p"}, "sk": {"S": "1"}}
            }"#,
        }
        MakeCoffee {
            "an unknown operation" => {},
        }
        PutItem {
            "an item for PartiQL" => {
                "TableName": "items",
                "Item": {"pk": s("p"), "sk": s("1"), "v": n("1")},
            },
        }
        ExecuteStatement {
            "select" => {"Statement": "SELECT sk, v FROM items WHERE pk = 'p'"},
            "select with parameters" => {
                "Statement": "SELECT v FROM items WHERE pk = ? AND sk = ?",
                "Parameters": [s("p"), s("1")],
            },
            "select with too few parameters" => {
                "Statement": "SELECT v FROM items WHERE pk = ? AND sk = ?", "Parameters": [s("p")],
            },
            "insert" => {"Statement": "INSERT INTO items VALUE {'pk': 'p', 'sk': '2', 'v': 2}"},
            "insert again" => {
                "Statement": "INSERT INTO items VALUE {'pk': 'p', 'sk': '2', 'v': 2}",
            },
            "update" => {"Statement": "UPDATE items SET v = 3 WHERE pk = 'p' AND sk = '2'"},
            "update without the sort key" => {"Statement": "UPDATE items SET v = 3 WHERE pk = 'p'"},
            "delete" => {"Statement": "DELETE FROM items WHERE pk = 'p' AND sk = '2'"},
            "select from a table that doesn't exist" => {"Statement": "SELECT * FROM nothing"},
            "a malformed statement" => {"Statement": "SELECT"},
            "no statement" => {},
        }
        BatchExecuteStatement {
            "a batch of statements" => {"Statements": [
                {"Statement": "SELECT * FROM items WHERE pk = 'p' AND sk = '1'"},
                {"Statement": "SELECT * FROM nothing WHERE pk = 'p' AND sk = '1'"},
            ]},
            "an empty batch of statements" => {"Statements": []},
        }
        ExecuteTransaction {
            "a transaction of statements" => {"TransactStatements": [
                {"Statement": "UPDATE items SET v = 9 WHERE pk = 'p' AND sk = '1'"},
            ]},
            "an empty transaction of statements" => {"TransactStatements": []},
        }
        GetItem {
            "the item after PartiQL" => {"TableName": "items", "Key": key("p", "1")},
        }
    }
}
