//! The `live-catch-up` function: slow sockets delay nobody and miss nothing.

use serde_json::json;

use super::{Faults, Talk, text};
use crate::support::{Socket, cloud, eventually};

#[tokio::test]
async fn a_hanging_socket_delays_nobody_and_gets_its_entries_later() {
    let cloud = cloud();
    let mut talk = Talk::new(cloud).await;
    let faults = Faults::of(cloud, &talk.job.client).await;
    faults.add("timeout", 4).await;
    talk.write(&talk.job.worker, "one").await;
    eventually("a push hangs", async || (faults.left().await < 4).then_some(())).await;
    talk.write(&talk.job.client, "two").await;
    assert_eq!(text(&mut talk.worker).await, "two");
    assert!(faults.left().await > 0, "others get theirs while the socket still hangs");
    talk.write(&talk.job.worker, "three").await;
    talk.write(&talk.job.worker, "four").await;
    for expected in ["one", "three", "four"] {
        assert_eq!(text(&mut talk.client).await, expected, "over the same socket");
    }
    assert_eq!(faults.left().await, 0);
    talk.client.assert_open().await;
    // It is pushed to as before.
    talk.write(&talk.job.worker, "five").await;
    assert_eq!(text(&mut talk.client).await, "five");
}

#[tokio::test]
async fn a_socket_that_keeps_hanging_is_closed_and_its_client_misses_nothing() {
    let cloud = cloud();
    let talk = Talk::new(cloud).await;
    let job = &talk.job;
    let own = format!("user:{}", job.client.id().await);
    let last =
        job.client.api.get(&format!("/live/feed?feed={own}")).await.expect(200)["last"].clone();
    let faults = Faults::of(cloud, &job.client).await;
    faults.add("timeout", 1000).await;
    talk.write(&job.worker, "one").await;
    talk.write(&job.worker, "two").await;
    talk.client.closed().await;
    // Whoever comes back has a network that works.
    faults.clear().await;
    let (mut again, _) = Socket::hello(&talk.job.client, json!({own: last})).await;
    assert_eq!([text(&mut again).await, text(&mut again).await], ["one", "two"]);
}
