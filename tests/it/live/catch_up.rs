//! The `live-catch-up` function: slow sockets delay nobody, and their clients miss nothing.

use serde_json::json;

use super::{Conversation, PushFaults, text};
use crate::support::{Socket, eventually, shared_cloud};

#[tokio::test]
async fn a_hanging_socket_delays_nobody_and_gets_its_entries_later() {
    let cloud = shared_cloud();
    let mut conversation = Conversation::new(cloud).await;
    let faults = PushFaults::of(cloud, &conversation.order.client).await;
    faults.add("timeout", 4).await;
    conversation.write(&conversation.order.worker, "one").await;
    eventually("a push hangs", async || (faults.remaining().await < 4).then_some(())).await;
    conversation.write(&conversation.order.client, "two").await;
    assert_eq!(text(&mut conversation.worker).await, "two");
    assert!(faults.remaining().await > 0, "others get their entries while the socket still hangs");
    conversation.write(&conversation.order.worker, "three").await;
    conversation.write(&conversation.order.worker, "four").await;
    for expected in ["one", "three", "four"] {
        assert_eq!(text(&mut conversation.client).await, expected, "over the same socket");
    }
    assert_eq!(faults.remaining().await, 0);
    conversation.client.assert_open().await;
    // Later entries are pushed to it as before.
    conversation.write(&conversation.order.worker, "five").await;
    assert_eq!(text(&mut conversation.client).await, "five");
}

#[tokio::test]
async fn a_socket_that_keeps_hanging_is_closed_and_its_client_misses_nothing() {
    let cloud = shared_cloud();
    let conversation = Conversation::new(cloud).await;
    let order = &conversation.order;
    let own = format!("user:{}", order.client.id().await);
    let last =
        order.client.api.get(&format!("/live/feed?feed={own}")).await.expect_status(200)["last"]
            .clone();
    let faults = PushFaults::of(cloud, &order.client).await;
    faults.add("timeout", 1000).await;
    conversation.write(&order.worker, "one").await;
    conversation.write(&order.worker, "two").await;
    conversation.client.until_closed().await;
    // The client reconnects, and the network works again.
    faults.clear().await;
    let (mut again, _) =
        Socket::connect_and_hello(&conversation.order.client, json!({own: last})).await;
    assert_eq!([text(&mut again).await, text(&mut again).await], ["one", "two"]);
}
