use jiff::{SignedDuration, Timestamp};

use super::super::close::MAX_SOCKETS;
use super::super::testing::{append, deliver, entries, hello, live, socket, user};
use super::super::ticket;
use crate::domain::feed::Feed;
use crate::domain::user::Role;
use crate::store::Subscription;

#[tokio::test]
async fn a_ticket_is_redeemed_once_and_only_within_a_minute() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let now = Timestamp::now();
    let token = ticket::issue(&live.connections, &ann.id, "s", now).await.unwrap();
    let attempts = (0..10).map(|_| ticket::redeem(&live.connections, token.expose(), now));
    let redeemed: Vec<_> =
        futures::future::join_all(attempts).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(
        redeemed.iter().map(|t| (&t.user_id, t.session_id.as_str())).collect::<Vec<_>>(),
        [(&ann.id, "s")]
    );

    let token = ticket::issue(&live.connections, &ann.id, "s", now).await.unwrap();
    let late =
        ticket::redeem(&live.connections, token.expose(), now + SignedDuration::from_secs(60))
            .await;
    assert_eq!(late.unwrap_err().code().code, "invalid_ticket");
    for wrong in ["", "tk_", "tk_x"] {
        assert_eq!(
            ticket::redeem(&live.connections, wrong, now).await.unwrap_err().code().code,
            "invalid_ticket"
        );
    }
}

#[tokio::test]
async fn a_disconnected_socket_is_deleted_and_the_others_get_their_entries() {
    let live = live().await;
    let feed = Feed::Role(Role::Client);
    for n in 0..20 {
        let user = user(&live, &format!("user{n}"), Role::Client, &[]).await;
        socket(&live, &user, &format!("c{n}")).await;
        hello(&live, &format!("c{n}"), &[]).await.unwrap();
    }
    live.push.disconnect("c3");
    append(&live, &feed, 1..=3).await;
    deliver(&live, entries(&live, &feed, 1..=3).await).await;
    for n in (0..20).filter(|n| *n != 3) {
        assert_eq!(live.push.numbers(&format!("c{n}"), &feed), [1, 2, 3], "c{n}");
    }
    assert_eq!(live.connections.connection("c3").await.unwrap(), None);
    assert_eq!(
        live.connections.subscription(&feed, "c3").await.unwrap(),
        None,
        "its subscription is deleted too"
    );
}

#[tokio::test]
async fn a_socket_whose_hello_crashed_is_closed() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let own = Feed::User(ann.id.clone());
    let connection = socket(&live, &ann, "c").await;
    live.connections.set_feeds("c", std::slice::from_ref(&own)).await.unwrap();
    let old = Timestamp::now() - SignedDuration::from_secs(61);
    live.connections
        .put_subscriptions(&[Subscription::held(&connection, own.clone(), "crashed", old)])
        .await
        .unwrap();
    append(&live, &own, 1..=1).await;
    deliver(&live, entries(&live, &own, 1..=1).await).await;
    assert_eq!(live.push.closed(), ["c"]);
    assert_eq!(live.connections.sockets_of(&ann.id).await.unwrap(), []);
}

#[tokio::test]
async fn the_oldest_sockets_are_closed_when_a_user_has_too_many() {
    let live = live().await;
    let (ann, bob) =
        (user(&live, "ann", Role::Client, &[]).await, user(&live, "bob", Role::Client, &[]).await);
    socket(&live, &bob, "b").await;
    for n in 0..MAX_SOCKETS + 2 {
        socket(&live, &ann, &format!("c{n:02}")).await;
    }
    live.close_excess_sockets(&ann.id).await.unwrap();
    assert_eq!(live.push.closed(), ["c00", "c01"]);
    live.close_excess_sockets(&ann.id).await.unwrap();
    assert_eq!(live.push.closed().len(), 2);
}

#[tokio::test]
async fn only_the_sockets_of_one_session_are_closed() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    socket(&live, &ann, "here").await;
    let mut elsewhere = socket(&live, &ann, "unused").await;
    (elsewhere.id, elsewhere.session_id) = ("there".to_owned(), "t".to_owned());
    live.connections.add(&elsewhere).await.unwrap();
    live.close_session(&ann.id, "t").await.unwrap();
    assert_eq!(live.push.closed(), ["there"]);
    live.close_all(&ann.id).await.unwrap();
    let mut closed = live.push.closed();
    closed.sort();
    assert_eq!(closed, ["here", "there", "unused"]);
    assert_eq!(live.connections.sockets_of(&ann.id).await.unwrap(), []);
}
