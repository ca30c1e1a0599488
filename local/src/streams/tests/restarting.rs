//! Tests of where a mapping starts, and where it continues after a restart.

use super::*;

#[tokio::test]
async fn a_restarted_mapping_continues_where_it_stopped() {
    let mut cloud = Cloud::new(vec![StreamMapping { batch_size: 1, ..mapping() }]).await;
    let stuck =
        FakeFunction::new(|_, keys| Ok(if keys == ["b"] { json!("fail") } else { json!({}) }));
    cloud.put_all(&["a", "b", "c"]).await;
    let streams = cloud.streams(&stuck).await;
    stuck.until(|batches| batches.last().is_some_and(|b| b == &["b"])).await;
    drop(streams);

    cloud.restart().await;
    cloud.put("d", "open").await;
    let fake = FakeFunction::succeeding();
    let streams = cloud.streams(&fake).await;
    assert_eq!(concat(&fake.until_invoked(3).await), ["b", "c", "d"]);
    cloud.put("e", "open").await;
    fake.until_invoked(4).await;
    drop(streams);

    // Everything was delivered, so nothing is delivered again.
    cloud.restart().await;
    let fake = FakeFunction::succeeding();
    let _streams = cloud.streams(&fake).await;
    cloud.put("f", "open").await;
    assert_eq!(concat(&fake.until_invoked(1).await), ["f"]);
}

#[tokio::test]
async fn latest_skips_earlier_records_even_of_the_same_second() {
    let cloud = Cloud::new(vec![StreamMapping { from_start: false, ..mapping() }]).await;
    let fake = FakeFunction::succeeding();
    cloud.put("before", "open").await;
    let _streams = cloud.streams(&fake).await;
    cloud.put("after", "open").await;
    assert_eq!(fake.until_invoked(1).await, [["after"]]);
}

#[tokio::test]
async fn latest_starts_at_the_end_and_loses_no_records_in_a_restart() {
    let mut cloud = Cloud::new(vec![StreamMapping { from_start: false, ..mapping() }]).await;
    cloud.put("before", "open").await;
    // Times in a stream are in seconds, so a record of the same second would count as a later one
    // after a restart.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let down = FakeFunction::new(|_, _| Err(InvokeError::Unavailable("crashed at init".into())));
    let streams = cloud.streams(&down).await;
    cloud.put("after", "open").await;
    down.until_invoked(1).await;
    drop(streams);
    assert!(down.batches().iter().all(|b| b == &["after"]));

    cloud.restart().await;
    let fake = FakeFunction::succeeding();
    let _streams = cloud.streams(&fake).await;
    assert_eq!(fake.until_invoked(1).await, [["after"]]);
}
