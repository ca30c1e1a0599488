//! The `live-notify` function: entries are pushed in order, once, whatever the network does.

use serde_json::json;

use super::{Faults, Talk, message, text};
use crate::support::{cloud, unique};

#[tokio::test]
async fn throttled_pushes_are_retried_and_no_socket_is_closed() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let faults = Faults::of(cloud, &talk.job.client).await;
    for (fault, times) in [("error_429", 2), ("error_500", 1), ("error_429", 8)] {
        faults.add(fault, times).await;
        talk.write(&talk.job.worker, fault).await;
        assert_eq!(text(&mut talk.client).await, fault);
        assert_eq!(faults.left().await, 0);
    }
    talk.client.assert_open().await;
}

#[tokio::test]
async fn a_push_with_a_lost_response_is_repeated_with_the_same_number() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let faults = Faults::of(cloud, &talk.job.client).await;
    faults.add("timeout_after_acting", 1).await;
    talk.write(&talk.job.worker, "one").await;
    talk.write(&talk.job.worker, "two").await;
    let mut numbers = Vec::new();
    while numbers.len() < 3 {
        let entry = message(&mut talk.client).await;
        numbers.push((entry["seq"].as_u64().unwrap(), entry["data"]["text"].clone()));
    }
    let first = numbers[0].0;
    assert_eq!(numbers, [(first, json!("one")), (first, json!("one")), (first + 1, json!("two"))]);
}

#[tokio::test]
async fn messages_arrive_in_order_and_continue_after_completion() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let texts: Vec<_> = (0..15).map(|n| unique(&format!("{n} "))).collect();
    for text in &texts {
        talk.write(&talk.job.client, text).await;
    }
    for expected in &texts {
        assert_eq!(text(&mut talk.worker).await, expected.as_str());
    }
    talk.job.moves(&talk.job.worker, "deliver").await;
    talk.job.moves(&talk.job.client, "complete").await;
    talk.write(&talk.job.client, "the invoice?").await;
    assert_eq!(text(&mut talk.worker).await, "the invoice?");
}
