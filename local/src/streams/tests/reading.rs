//! Tests of which records arrive in which batches.

use std::collections::HashMap;

use super::*;

#[tokio::test]
async fn records_arrive_in_lambdas_shape() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = FakeFunction::succeeding();
    cloud.put("A", "open").await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(1).await;
    let record = fake.events.lock().unwrap()[0]["Records"][0].clone();
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["awsRegion"], "us-east-1");
    assert_eq!(record["dynamodb"]["NewImage"]["state"], json!({"S": "open"}));
    let arn = record["eventSourceARN"].as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/marketplace/stream/"),
        "{arn}"
    );
}

#[tokio::test]
async fn a_write_through_the_proxy_is_delivered_without_polling() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = FakeFunction::succeeding();
    let _streams = cloud.streams(&fake).await;
    for i in 1..=3 {
        cloud.put(&format!("{i}"), "open").await;
        fake.until_invoked(i).await;
    }
    assert_eq!(fake.batches(), [["1"], ["2"], ["3"]]);
}

#[tokio::test]
async fn a_write_that_bypasses_the_proxy_is_found_by_polling() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = FakeFunction::succeeding();
    let _streams =
        cloud.try_streams(&fake, Pace { poll: Duration::from_millis(50), ..PACE }).await.unwrap();
    put(
        &testing::client(&cloud.dynamodb.streams.url, &cloud.dynamodb.streams.access_key_id),
        "A",
        "open",
    )
    .await;
    fake.until_invoked(1).await;
}

#[tokio::test]
async fn batches_respect_the_batch_size() {
    let cloud = Cloud::new(vec![StreamMapping { batch_size: 2, ..mapping() }]).await;
    let fake = FakeFunction::succeeding();
    cloud.put_all(&["a", "b", "c", "d", "e"]).await;
    let _streams = cloud.streams(&fake).await;
    assert_eq!(fake.until_invoked(3).await, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
}

#[tokio::test]
async fn the_batching_window_collects_records_and_ends_early_when_the_batch_is_full() {
    let window = Duration::from_millis(1500);
    let cloud =
        Cloud::new(vec![StreamMapping { batch_size: 3, batch_window: window, ..mapping() }]).await;
    let fake = FakeFunction::succeeding();
    let _streams = cloud.streams(&fake).await;
    cloud.put_all(&["a", "b", "c", "d", "e"]).await;
    assert_eq!(fake.until_invoked(2).await, [vec!["a", "b", "c"], vec!["d", "e"]]);
}

#[tokio::test]
async fn a_payload_stays_below_six_megabytes() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = FakeFunction::succeeding();
    let large = "x".repeat(390_000);
    for i in 0..17 {
        let item = cloud
            .client
            .put_item()
            .table_name("marketplace")
            .item("pk", AttributeValue::S(format!("{i}")));
        let item = item
            .item("sk", AttributeValue::S("x".into()))
            .item("data", AttributeValue::S(large.clone()));
        item.send().await.unwrap();
    }
    let _streams = cloud.streams(&fake).await;
    let batches = fake.until(|batches| batches.concat().len() == 17).await;
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [16, 1]);
    assert!(fake.events.lock().unwrap().iter().all(|e| e.to_string().len() <= 6 * 1024 * 1024));
}

#[tokio::test]
async fn only_records_that_pass_the_filter_are_delivered() {
    let filters = vec![
        json!({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"state": {"S": [{"prefix": "op"}]}}}}),
    ];
    let cloud = Cloud::new(vec![StreamMapping { filters, ..mapping() }]).await;
    let fake = FakeFunction::succeeding();
    for (pk, state) in
        [("a", "draft"), ("b", "draft"), ("a", "open"), ("b", "closed"), ("c", "open")]
    {
        cloud.put(pk, state).await;
    }
    let _streams = cloud.streams(&fake).await;
    cloud.put("b", "opened").await;
    assert_eq!(concat(&fake.until(|b| b.concat().len() == 2).await), ["a", "b"]);
}

#[tokio::test]
async fn parallel_lanes_keep_the_order_per_item_and_do_not_wait_for_each_other() {
    let cloud =
        Cloud::new(vec![StreamMapping { parallelization: 10, batch_size: 3, ..mapping() }]).await;
    let fake = FakeFunction::new(|_, keys| {
        Ok(if keys.contains(&"poison".into()) { json!("fail") } else { json!({}) })
    });
    cloud.put("poison", "open").await;
    for state in 0..5 {
        for pk in 0..20 {
            cloud.put(&format!("item {pk}"), &format!("{state}")).await;
        }
    }
    let _streams = cloud.streams(&fake).await;
    // One lane of ten is stuck behind the poison record. The other lanes receive all five states of
    // their items, in order.
    let poisoned =
        |batches: &[Vec<String>]| batches.iter().filter(|b| b.contains(&"poison".into())).count();
    let processed = |batches: &[Vec<String>]| {
        batches.iter().filter(|b| !b.contains(&"poison".into())).flatten().count()
    };
    let expected = {
        let lane = |pk: &str| {
            crc32fast::hash(format!(r#"pk={{"S":"{pk}"}}&sk={{"S":"x"}}"#).as_bytes()) % 10
        };
        5 * (0..20).filter(|pk| lane(&format!("item {pk}")) != lane("poison")).count()
    };
    assert!(expected > 0);
    fake.until(|batches| processed(batches) == expected && poisoned(batches) > 2).await;
    let events = fake.events.lock().unwrap();
    let records = events.iter().flat_map(|e| e["Records"].as_array().unwrap().clone());
    let mut states: HashMap<String, Vec<String>> = HashMap::new();
    for record in records {
        let text = |v: &Value| v["S"].as_str().unwrap().to_owned();
        states
            .entry(text(&record["dynamodb"]["Keys"]["pk"]))
            .or_default()
            .push(text(&record["dynamodb"]["NewImage"]["state"]));
    }
    let complete = states.values().filter(|s| **s == ["0", "1", "2", "3", "4"]).count();
    assert_eq!(complete * 5, expected);
}

#[tokio::test]
async fn ttl_deletions_arrive_as_removals_by_the_service() {
    let filters = vec![
        json!({"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}}),
    ];
    let cloud = Cloud::new(vec![StreamMapping { filters, ..mapping() }]).await;
    let fake = FakeFunction::succeeding();
    let _streams = cloud.streams(&fake).await;
    let item = cloud
        .client
        .put_item()
        .table_name("marketplace")
        .item("pk", AttributeValue::S("expired".into()));
    let item = item
        .item("sk", AttributeValue::S("x".into()))
        .item("expires_at", AttributeValue::N("1700000000".into()));
    item.send().await.unwrap();
    cloud.dynamodb.sweep().await;
    // Wakes the reader, which the sweep does not notify.
    cloud.put("later", "open").await;
    assert_eq!(fake.until_invoked(1).await, [["expired"]]);
    let record = fake.events.lock().unwrap()[0]["Records"][0].clone();
    assert_eq!(record["eventName"], "REMOVE");
    assert_eq!(record["dynamodb"]["OldImage"]["pk"], json!({"S": "expired"}));
}

#[tokio::test]
async fn the_error_names_the_mapping_and_the_cause() {
    let fake = FakeFunction::succeeding();
    for (mapping, cause) in [
        (
            StreamMapping { on_failure: Some("arn:aws:sqs:::none".into()), ..mapping() },
            "arn:aws:sqs:::none is not a queue",
        ),
        (StreamMapping { table: "none".into(), ..mapping() }, "no table none"),
        (
            StreamMapping { filters: vec![json!({"a": [{"cidr": "10.0.0.0/8"}]})], ..mapping() },
            "cidr",
        ),
    ] {
        let cloud = Cloud::new(vec![mapping]).await;
        let error = cloud.try_streams(&fake, PACE).await.err().unwrap();
        let error = format!("{error:#}");
        assert!(error.contains(cause) && error.contains("live-notify/Orders"), "{error}");
    }
    let mut cloud = Cloud::new(vec![]).await;
    let mut silent = testing::table("silent");
    silent.stream_view_type = None;
    cloud.project.tables.push(silent);
    cloud.restart().await;
    cloud.project.functions[0].streams =
        vec![StreamMapping { table: "silent".into(), ..mapping() }];
    let error = format!("{:#}", cloud.try_streams(&fake, PACE).await.err().unwrap());
    assert!(error.contains("table silent has no stream"), "{error}");
}
