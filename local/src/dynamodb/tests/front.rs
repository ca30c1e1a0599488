//! What a request meets on its way.

use super::*;

#[tokio::test]
async fn a_function_reads_and_writes_what_its_policy_allows() {
    let (_db, client) = in_memory(&[("dynamodb:PutItem", TABLE), ("dynamodb:GetItem", TABLE)]).await;
    put(&client, "A").await.unwrap();
    let got = client.get_item().table_name("marketplace").key("pk", s("A")).key("sk", s("x")).send().await.unwrap();
    assert_eq!(got.item().unwrap()["pk"], s("A"));
    assert!(got.consumed_capacity().is_none(), "nobody asked for the capacity");
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_refused_as_aws_refuses() {
    let (_db, client) = in_memory(&[("dynamodb:GetItem", TABLE)]).await;
    let error =
        client.put_item().table_name("marketplace").item("pk", s("A")).item("sk", s("x")).send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    let error = error.into_service_error();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(
        error.message().unwrap(),
        format!(
            "User: arn:aws:sts::000000000000:assumed-role/orders-create/orders-create is not authorized to perform: dynamodb:PutItem \
             on resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"
        )
    );
}

#[tokio::test]
async fn a_query_of_an_index_needs_the_index_in_the_policy() {
    for (resource, allowed) in [(TABLE.to_owned(), false), (format!("{TABLE}/index/by-state"), true)] {
        let (_db, client) = in_memory(&[("dynamodb:Query", &resource)]).await;
        let query = client.query().table_name("marketplace").index_name("by-state");
        let query = query.key_condition_expression("#s = :s").expression_attribute_names("#s", "state");
        let result = query.expression_attribute_values(":s", s("open")).send().await;
        assert_eq!(result.is_ok(), allowed, "{resource}");
    }
}

#[tokio::test]
async fn a_transaction_needs_every_action_in_it() {
    let put = Put::builder().table_name("marketplace").item("pk", s("A")).item("sk", s("x")).build().unwrap();
    let delete = Delete::builder().table_name("marketplace").key("pk", s("B")).key("sk", s("x")).build().unwrap();
    for (policy, allowed) in [
        (vec![("dynamodb:PutItem", TABLE)], false),
        (vec![("dynamodb:TransactWriteItems", TABLE)], false),
        (vec![("dynamodb:PutItem", TABLE), ("dynamodb:DeleteItem", TABLE)], true),
    ] {
        let (_db, client) = in_memory(&policy).await;
        let items =
            [TransactWriteItem::builder().put(put.clone()), TransactWriteItem::builder().delete(delete.clone())];
        let items = items.into_iter().map(|i| i.build()).collect();
        let result = client.transact_write_items().set_transact_items(Some(items)).send().await;
        assert_eq!(
            result.map(drop).map_err(|e| code(&e)),
            if allowed { Ok(()) } else { Err("AccessDeniedException".into()) }
        );
    }
}

#[tokio::test]
async fn leading_keys_limit_a_function_to_its_partitions() {
    let mut project = project(&[("dynamodb:PutItem", TABLE)]);
    project.functions[0].policy[0].leading_keys = Some(vec!["FEED#*".into()]);
    let db = start(&project, Storage::Memory).await.unwrap();
    let client = testing::client(&db.endpoint_url, &access_key_id("orders-create"));
    put(&client, "FEED#1").await.unwrap();
    assert_eq!(put(&client, "USER#1").await, Err("AccessDeniedException".into()));
}

#[tokio::test]
async fn a_developers_key_may_do_everything() {
    let (db, _) = in_memory(&[]).await;
    let client = testing::client(&db.endpoint_url, DEVELOPER);
    put(&client, "A").await.unwrap();
    assert_eq!(client.scan().table_name("marketplace").send().await.unwrap().count(), 1);
}

#[tokio::test]
async fn answers_of_the_front_carry_dynamodbs_headers() {
    let (_db, client) = in_memory(&[("dynamodb:PutItem", TABLE)]).await;
    let denied = client.scan().table_name("marketplace").send().await.unwrap_err();
    let failed = client.put_item().table_name("marketplace").item("pk", s("A")).send().await.unwrap_err();
    assert_eq!(code(&failed), "ValidationException");
    for response in [denied.raw_response().unwrap(), failed.raw_response().unwrap()] {
        let body_crc = crc32fast::hash(response.body().bytes().unwrap()).to_string();
        assert_eq!(response.headers().get("x-amz-crc32"), Some(body_crc.as_str()));
        assert!(response.headers().get("x-amzn-requestid").is_some());
    }
}

#[tokio::test]
async fn injected_errors_reach_the_client_as_dynamodbs() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    for (error, expected) in [
        ("TransactionConflict", "TransactionConflictException"),
        ("ProvisionedThroughputExceededException", "ProvisionedThroughputExceededException"),
        ("InternalServerError", "InternalServerError"),
    ] {
        let fault = json!({"function": "orders-create", "action": "PutItem", "error": error});
        assert_eq!(local(&db, "POST", "/_local/faults", fault).await.0, 201);
        assert_eq!(put(&client, "A").await, Err(expected.into()));
        put(&client, "A").await.unwrap();
    }
    assert_eq!(local(&db, "POST", "/_local/faults", json!({"error": "timeout"})).await.0, 400);
}

#[tokio::test]
async fn a_lost_response_has_acted_and_a_timeout_has_not() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    local(
        &db,
        "POST",
        "/_local/faults",
        json!({"action": "PutItem", "table": "marketplace", "error": "lost_response"}),
    )
    .await;
    assert_eq!(put(&client, "lost").await, Err("dispatch failure".into()));

    local(&db, "POST", "/_local/faults", json!({"action": "PutItem", "error": "timeout"})).await;
    let waited = tokio::time::timeout(std::time::Duration::from_millis(300), put(&client, "timeout")).await;
    assert!(waited.is_err(), "an answer came");

    let scanned = client.scan().table_name("marketplace").send().await.unwrap();
    assert_eq!(scanned.items().iter().map(|i| &i["pk"]).collect::<Vec<_>>(), [&s("lost")]);
}

#[tokio::test]
async fn calls_and_capacity_are_counted_per_function() {
    let (db, client) = in_memory(&[("dynamodb:PutItem", TABLE), ("dynamodb:BatchGetItem", TABLE)]).await;
    put(&client, "A").await.unwrap();
    let keys = KeysAndAttributes::builder().keys([("pk".into(), s("A")), ("sk".into(), s("x"))].into());
    client.batch_get_item().request_items("marketplace", keys.build().unwrap()).send().await.unwrap();
    client.scan().table_name("marketplace").send().await.unwrap_err();
    let (_, stats) = local(&db, "GET", "/_local/stats", json!({})).await;
    let counters = &stats["orders-create"];
    assert_eq!(counters["PutItem"], json!({"calls": 1, "denied": 0, "errors": 0, "capacity_units": 1.0}));
    assert_eq!(counters["BatchGetItem"]["capacity_units"], 0.5);
    assert_eq!(counters["Scan"]["denied"], 1);
}

#[tokio::test]
async fn a_write_is_told_to_the_streams_and_a_read_is_not() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    let mut writes = db.writes.subscribe("marketplace").unwrap();
    client.scan().table_name("marketplace").send().await.unwrap();
    assert!(!writes.has_changed().unwrap());
    put(&client, "A").await.unwrap();
    assert!(writes.has_changed().unwrap());
    writes.mark_unchanged();
}
