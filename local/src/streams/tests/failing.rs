//! Tests of batches that fail.

use super::*;

#[tokio::test]
async fn a_failed_batch_is_retried_until_it_succeeds() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let attempts_left = Mutex::new(3);
    let fake = FakeFunction::new(move |_, _| {
        let mut left = attempts_left.lock().unwrap();
        *left -= 1;
        Ok(if *left > 0 { json!("fail") } else { json!({}) })
    });
    cloud.put_all(&["a", "b"]).await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(3).await;
    cloud.put("c", "open").await;
    assert_eq!(
        fake.until_invoked(4).await,
        [vec!["a", "b"], vec!["a", "b"], vec!["a", "b"], vec!["c"]]
    );
}

#[tokio::test]
async fn a_batch_is_discarded_after_its_retries_and_sent_to_the_destination() {
    let cloud = Cloud::new(vec![StreamMapping { max_retries: Some(2), ..mapping() }]).await;
    let fake = FakeFunction::new(|_, keys| {
        Ok(if keys.contains(&"b".into()) { json!("fail") } else { json!({}) })
    });
    cloud.put_all(&["a", "b"]).await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(3).await;
    let message = cloud.undelivered().await.remove(0);
    cloud.put("c", "open").await;
    assert_eq!(
        fake.until_invoked(4).await,
        [vec!["a", "b"], vec!["a", "b"], vec!["a", "b"], vec!["c"]]
    );

    let records = fake.events.lock().unwrap()[0]["Records"].clone();
    assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(message["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(
        message["requestContext"]["functionArn"],
        "arn:aws:lambda:us-east-1:000000000000:function:live-notify"
    );
    assert_eq!(
        message["responseContext"],
        json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    );
    let info = &message["DDBStreamBatchInfo"];
    assert_eq!(info["startSequenceNumber"], records[0]["dynamodb"]["SequenceNumber"]);
    assert_eq!(info["endSequenceNumber"], records[1]["dynamodb"]["SequenceNumber"]);
    assert_eq!(info["batchSize"], 2);
    assert_eq!(info["streamArn"], records[0]["eventSourceARN"]);
    assert!(info["shardId"].as_str().unwrap().starts_with("shardId-"));
}

#[tokio::test]
async fn bisecting_isolates_the_poison_record() {
    let cloud =
        Cloud::new(vec![StreamMapping { bisect: true, max_retries: Some(1), ..mapping() }]).await;
    let fake = FakeFunction::new(|_, keys| {
        Ok(if keys.contains(&"poison".into()) { json!("fail") } else { json!({}) })
    });
    cloud.put_all(&["a", "b", "poison", "c"]).await;
    let _streams = cloud.streams(&fake).await;
    cloud.undelivered().await;
    let batches = fake.until(|b| b.last().is_some_and(|b| b == &["c"])).await;
    assert_eq!(
        batches,
        // A split does not count as a retry. So the one retry happens at the end, when the poison
        // record is alone in its batch.
        [
            vec!["a", "b", "poison", "c"],
            vec!["a", "b"],
            vec!["poison", "c"],
            vec!["poison"],
            vec!["poison"],
            vec!["c"]
        ]
    );
    assert_eq!(cloud.undelivered().await[0]["DDBStreamBatchInfo"]["batchSize"], 1);
}

/// Returns a mapping whose function reports which records failed.
fn reporting_mapping(max_retries: u32, bisect: bool) -> StreamMapping {
    StreamMapping {
        report_batch_item_failures: true,
        max_retries: Some(max_retries),
        bisect,
        ..mapping()
    }
}

#[tokio::test]
async fn a_partial_failure_is_retried_from_the_lowest_failed_record() {
    let cloud = Cloud::new(vec![reporting_mapping(5, false)]).await;
    let fake = FakeFunction::new(|_, keys| {
        Ok(match keys.len() {
            // The reported records are out of order. The lowest one counts.
            4 => json!({"batchItemFailures": [{"itemIdentifier": "d"}, {"itemIdentifier": "b"}]}),
            3 => json!({"batchItemFailures": [{"itemIdentifier": "d"}]}),
            _ => json!({"batchItemFailures": []}),
        })
    });
    cloud.put_all(&["a", "b", "c", "d"]).await;
    let _streams = cloud.streams(&fake).await;
    assert_eq!(
        fake.until_invoked(3).await,
        [vec!["a", "b", "c", "d"], vec!["b", "c", "d"], vec!["d"]]
    );
}

#[tokio::test]
async fn bisecting_discards_only_the_reported_poison_record() {
    let cloud = Cloud::new(vec![reporting_mapping(1, true)]).await;
    let fake = FakeFunction::new(|_, keys| {
        let failed = keys.iter().filter(|k| *k == "poison").map(|k| json!({"itemIdentifier": k}));
        Ok(json!({"batchItemFailures": failed.collect::<Vec<_>>()}))
    });
    cloud.put_all(&["a", "poison", "b", "c"]).await;
    let _streams = cloud.streams(&fake).await;
    let batches = fake
        .until(|b| b.concat().contains(&"c".into()) && b.last().is_some_and(|b| b == &["b", "c"]))
        .await;
    assert_eq!(
        batches,
        [
            vec!["a", "poison", "b", "c"],
            vec!["poison", "b", "c"],
            vec!["poison"],
            vec!["poison"],
            vec!["b", "c"]
        ]
    );
    let messages = cloud.undelivered().await;
    assert_eq!(messages[0]["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(messages[0]["responseContext"]["functionError"], Value::Null);
}

#[tokio::test]
async fn a_malformed_reply_fails_the_whole_batch_and_an_empty_one_succeeds() {
    for (reply, succeeds) in [
        (json!(null), true),
        (json!({}), true),
        (json!({"batchItemFailures": null}), true),
        (json!({"batchItemFailures": []}), true),
        (json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"wrong": "b"}]}), false),
        (json!({"batchItemFailures": [{"itemIdentifier": ""}]}), false),
        (json!({"batchItemFailures": [{"itemIdentifier": null}]}), false),
        (json!({"batchItemFailures": [{"itemIdentifier": "unknown"}]}), false),
        (json!({"batchItemFailures": "b"}), false),
        (json!("text"), false),
    ] {
        let cloud = Cloud::new(vec![reporting_mapping(0, false)]).await;
        let first_reply = reply.clone();
        let fake = FakeFunction::new(move |_, keys| {
            Ok(if keys.len() == 2 { first_reply.clone() } else { json!({}) })
        });
        cloud.put_all(&["a", "b"]).await;
        let _streams = cloud.streams(&fake).await;
        fake.until_invoked(1).await;
        cloud.put("c", "open").await;
        fake.until(|b| b.last().is_some_and(|b| b == &["c"])).await;
        assert_eq!(!cloud.dir.0.join("queues/undelivered.jsonl").exists(), succeeds, "{reply}");
    }
}

#[tokio::test]
async fn throttling_does_not_count_as_a_retry() {
    let cloud = Cloud::new(vec![StreamMapping { max_retries: Some(0), ..mapping() }]).await;
    let attempts_left = Mutex::new(4);
    let fake = FakeFunction::new(move |_, _| {
        let mut left = attempts_left.lock().unwrap();
        *left -= 1;
        if *left > 0 { Err(InvokeError::Throttled("rate exceeded".into())) } else { Ok(json!({})) }
    });
    cloud.put("a", "open").await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(4).await;
    cloud.put("b", "open").await;
    fake.until(|b| b.last().is_some_and(|b| b == &["b"])).await;
    assert!(!cloud.dir.0.join("queues").exists());
}

#[tokio::test]
async fn records_that_are_too_old_are_discarded() {
    let cloud =
        Cloud::new(vec![StreamMapping { max_age: Some(Duration::from_secs(1)), ..mapping() }])
            .await;
    let fake =
        FakeFunction::new(|_, keys| Ok(if keys == ["old"] { json!("fail") } else { json!({}) }));
    cloud.put("old", "open").await;
    let _streams = cloud.streams(&fake).await;
    let message = cloud.undelivered().await.remove(0);
    assert_eq!(message["requestContext"]["condition"], "RecordAgeExceeded");
    cloud.put("new", "open").await;
    fake.until(|b| b.last().is_some_and(|b| b == &["new"])).await;
}

#[tokio::test]
async fn a_failing_function_does_not_delay_another() {
    let mut cloud = Cloud::new(vec![mapping()]).await;
    let mut other = testing::function("orders-index", Vec::new());
    other.streams = vec![StreamMapping { name: "orders-index/Orders".into(), ..mapping() }];
    cloud.project.functions.push(other);
    let fake = FakeFunction::new(|function, keys| {
        Ok(if function == "live-notify" {
            json!("fail")
        } else {
            assert_eq!(keys.len(), 1);
            json!({"ok": true})
        })
    });
    let _streams = cloud.streams(&fake).await;
    for pk in ["a", "b", "c"] {
        cloud.put(pk, "open").await;
        fake.until(|batches| batches.contains(&vec![pk.to_owned()])).await;
    }
}
