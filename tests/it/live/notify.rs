//! The `live-notify` function: it pushes every entry, in order. If the response to a push gets
//! lost, it pushes the entry again, with the same number.

use serde_json::json;

use super::{Conversation, PushFaults, message, text};
use crate::support::{shared_cloud, unique};

#[tokio::test]
async fn throttled_pushes_are_retried_and_no_socket_is_closed() {
    let cloud = shared_cloud();
    let mut conversation = Conversation::new(cloud).await;
    let faults = PushFaults::of(cloud, &conversation.order.client).await;
    for (fault, times) in [("error_429", 2), ("error_500", 1), ("error_429", 8)] {
        faults.add(fault, times).await;
        conversation.write(&conversation.order.worker, fault).await;
        assert_eq!(text(&mut conversation.client).await, fault);
        assert_eq!(faults.remaining().await, 0);
    }
    conversation.client.assert_open().await;
}

#[tokio::test]
async fn a_push_with_a_lost_response_is_repeated_with_the_same_number() {
    let cloud = shared_cloud();
    let mut conversation = Conversation::new(cloud).await;
    let faults = PushFaults::of(cloud, &conversation.order.client).await;
    faults.add("timeout_after_acting", 1).await;
    conversation.write(&conversation.order.worker, "one").await;
    conversation.write(&conversation.order.worker, "two").await;
    let mut numbers = Vec::new();
    while numbers.len() < 3 {
        let entry = message(&mut conversation.client).await;
        numbers.push((entry["seq"].as_u64().unwrap(), entry["data"]["text"].clone()));
    }
    let first = numbers[0].0;
    assert_eq!(numbers, [(first, json!("one")), (first, json!("one")), (first + 1, json!("two"))]);
}

#[tokio::test]
async fn messages_arrive_in_order_and_continue_after_completion() {
    let cloud = shared_cloud();
    let mut conversation = Conversation::new(cloud).await;
    let texts: Vec<_> = (0..15).map(|n| unique(&format!("{n} "))).collect();
    for text in &texts {
        conversation.write(&conversation.order.client, text).await;
    }
    for expected in &texts {
        assert_eq!(text(&mut conversation.worker).await, expected.as_str());
    }
    conversation.order.transition(&conversation.order.worker, "deliver").await;
    conversation.order.transition(&conversation.order.client, "complete").await;
    conversation.write(&conversation.order.client, "the invoice?").await;
    assert_eq!(text(&mut conversation.worker).await, "the invoice?");
}
