use serde_json::json;

use super::*;
use crate::testing;

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/marketplace";

fn accesses(operation: &str, body: Value) -> Vec<(String, String, Vec<String>)> {
    let project = Project {
        tables: vec![testing::table("marketplace"), testing::table("other")],
        ..Project::default()
    };
    let accesses = Schema::new(&project).accesses(operation, &body).unwrap();
    accesses.into_iter().map(|a| (a.action, a.resource, a.leading_keys)).collect()
}

fn access(action: &str, resource: &str, keys: &[&str]) -> (String, String, Vec<String>) {
    (action.into(), resource.into(), keys.iter().map(ToString::to_string).collect())
}

fn key(pk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": "x"}})
}

#[test]
fn an_item_operation_needs_its_action_on_the_table_and_partition_key() {
    for operation in ["GetItem", "UpdateItem", "DeleteItem"] {
        assert_eq!(
            accesses(operation, json!({"TableName": "marketplace", "Key": key("A")})),
            [access(&format!("dynamodb:{operation}"), TABLE, &["A"])]
        );
    }
    assert_eq!(
        accesses("PutItem", json!({"TableName": "marketplace", "Item": key("A")})),
        [access("dynamodb:PutItem", TABLE, &["A"])]
    );
}

#[test]
fn a_query_of_an_index_needs_the_index_and_its_partition_key() {
    let query = json!({
        "TableName": "marketplace", "IndexName": "by-state", "KeyConditionExpression": "#s = :s",
        "ExpressionAttributeNames": {"#s": "state"}, "ExpressionAttributeValues": {":s": {"S": "open"}},
    });
    assert_eq!(
        accesses("Query", query),
        [access("dynamodb:Query", &format!("{TABLE}/index/by-state"), &["open"])]
    );
}

#[test]
fn a_batch_needs_its_own_action_on_every_table() {
    let other = TABLE.replace("marketplace", "other");
    let get = json!({"RequestItems": {"marketplace": {"Keys": [key("A"), key("B")]}, "other": {"Keys": [key("C")]}}});
    assert_eq!(
        accesses("BatchGetItem", get),
        [
            access("dynamodb:BatchGetItem", TABLE, &["A", "B"]),
            access("dynamodb:BatchGetItem", &other, &["C"])
        ]
    );
    let write = json!({"RequestItems": {"marketplace": [{"PutRequest": {"Item": key("A")}}, {"DeleteRequest": {"Key": key("B")}}]}});
    assert_eq!(
        accesses("BatchWriteItem", write),
        [access("dynamodb:BatchWriteItem", TABLE, &["A", "B"])]
    );
}

#[test]
fn a_transaction_needs_the_action_of_each_item() {
    let part = |member: &str, pk: &str| json!({"TableName": "marketplace", member: key(pk)});
    let body = json!({"TransactItems": [
        {"Put": part("Item", "A")},
        {"Update": part("Key", "B")},
        {"Delete": part("Key", "C")},
        {"ConditionCheck": part("Key", "D")},
    ]});
    assert_eq!(
        accesses("TransactWriteItems", body),
        [
            access("dynamodb:PutItem", TABLE, &["A"]),
            access("dynamodb:UpdateItem", TABLE, &["B"]),
            access("dynamodb:DeleteItem", TABLE, &["C"]),
            access("dynamodb:ConditionCheckItem", TABLE, &["D"]),
        ]
    );
    let body = json!({"TransactItems": [{"Get": part("Key", "A")}]});
    assert_eq!(accesses("TransactGetItems", body), [access("dynamodb:GetItem", TABLE, &["A"])]);
}

#[test]
fn a_table_can_be_named_by_its_arn() {
    assert_eq!(
        accesses("GetItem", json!({"TableName": TABLE, "Key": key("A")})),
        [access("dynamodb:GetItem", TABLE, &["A"])]
    );
}

#[test]
fn the_tables_of_a_transaction_are_listed_once() {
    let put = json!({"Put": {"TableName": "marketplace", "Item": key("A")}});
    let body = json!({"TransactItems": [put, put]});
    assert_eq!(Schema::default().tables("TransactWriteItems", &body), ["marketplace"]);
}

#[test]
fn partiql_is_rejected() {
    assert!(
        Schema::default()
            .accesses("ExecuteStatement", &json!({"Statement": "SELECT * FROM t"}))
            .is_err()
    );
}
