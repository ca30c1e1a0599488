use jiff::{SignedDuration, Timestamp};

use super::super::close::MAX_SOCKETS;
use super::super::testing::{append, deliver, entries, hello, live, socket, user};
use super::super::ticket;
use crate::domain::feed::Feed;
use crate::domain::user::Role;
use crate::store::Subscription;

#[tokio::test]
async fn a_ticket_is_taken_once_however_many_try_and_only_within_its_minute() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let now = Timestamp::now();
    let token = ticket::issue(&live.connections, &ann.id, "s", now).await.unwrap();
    let takes = (0..10).map(|_| ticket::take(&live.connections, token.expose(), now));
    let taken: Vec<_> =
        futures::future::join_all(takes).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(
        taken.iter().map(|t| (&t.user_id, t.session_id.as_str())).collect::<Vec<_>>(),
        [(&ann.id, "s")]
    );

    let token = ticket::issue(&live.connections, &ann.id, "s", now).await.unwrap();
    let late =
        ticket::take(&live.connections, token.expose(), now + SignedDuration::from_secs(60)).await;
    assert_eq!(late.unwrap_err().code().code, "invalid_ticket");
    for wrong in ["", "tk_", "tk_x"] {
        assert_eq!(
            ticket::take(&live.connections, wrong, now).await.unwrap_err().code().code,
            "invalid_ticket"
        );
    }
}

#[tokio::test]
async fn a_socket_that_is_gone_is_forgotten_and_the_others_get_theirs() {
    let live = live().await;
    let feed = Feed::Role(Role::Client);
    for n in 0..20 {
        let user = user(&live, &format!("user{n}"), Role::Client, &[]).await;
        socket(&live, &user, &format!("c{n}")).await;
        hello(&live, &format!("c{n}"), &[]).await.unwrap();
    }
    live.push.vanish("c3");
    append(&live, &feed, 1..=3).await;
    deliver(&live, entries(&live, &feed, 1..=3).await).await;
    for n in (0..20).filter(|n| *n != 3) {
        assert_eq!(live.push.numbers(&format!("c{n}"), &feed), [1, 2, 3], "c{n}");
    }
    assert_eq!(live.connections.connection("c3").await.unwrap(), None);
    assert_eq!(
        live.connections.subscription(&feed, "c3").await.unwrap(),
        None,
        "its subscription is gone as well"
    );
}

#[tokio::test]
async fn a_subscription_whose_hello_died_does_not_keep_its_client_waiting_for_ever() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let own = Feed::User(ann.id.clone());
    let connection = socket(&live, &ann, "c").await;
    live.connections.set_feeds("c", std::slice::from_ref(&own)).await.unwrap();
    let old = Timestamp::now() - SignedDuration::from_secs(61);
    live.connections
        .hold(&[Subscription::held(&connection, own.clone(), "dead", old)])
        .await
        .unwrap();
    append(&live, &own, 1..=1).await;
    deliver(&live, entries(&live, &own, 1..=1).await).await;
    assert_eq!(live.push.closed(), ["c"]);
    assert_eq!(live.connections.sockets_of(&ann.id).await.unwrap(), []);
}

#[tokio::test]
async fn the_oldest_sockets_of_a_user_with_too_many_are_closed() {
    let live = live().await;
    let (ann, bob) =
        (user(&live, "ann", Role::Client, &[]).await, user(&live, "bob", Role::Client, &[]).await);
    socket(&live, &bob, "b").await;
    for n in 0..MAX_SOCKETS + 2 {
        socket(&live, &ann, &format!("c{n:02}")).await;
    }
    live.close_surplus(&ann.id).await.unwrap();
    assert_eq!(live.push.closed(), ["c00", "c01"]);
    live.close_surplus(&ann.id).await.unwrap();
    assert_eq!(live.push.closed().len(), 2);
}

#[tokio::test]
async fn the_sockets_of_one_sign_in_are_closed_and_no_others() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    socket(&live, &ann, "here").await;
    let mut elsewhere = socket(&live, &ann, "unused").await;
    (elsewhere.id, elsewhere.session_id) = ("there".to_owned(), "t".to_owned());
    live.connections.open(&elsewhere).await.unwrap();
    live.close_session(&ann.id, "t").await.unwrap();
    assert_eq!(live.push.closed(), ["there"]);
    live.close_all(&ann.id).await.unwrap();
    let mut closed = live.push.closed();
    closed.sort();
    assert_eq!(closed, ["here", "there", "unused"]);
    assert_eq!(live.connections.sockets_of(&ann.id).await.unwrap(), []);
}
