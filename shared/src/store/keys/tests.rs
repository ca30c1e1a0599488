use jiff::Timestamp;

use super::*;
use crate::domain::money::{Currency, Money, Price};
use crate::domain::service::ServiceStatus;
use crate::domain::text::Category;
use crate::domain::user::{Role, UserStatus};

/// Stored items have these keys, so changing one requires a migration.
#[test]
fn keys_have_exactly_these_strings() {
    let user: UserId = UserId::derived(&["user"]);
    let order: OrderId = OrderId::derived(&["order"]);
    let service: ServiceId = ServiceId::derived(&["service"]);
    let message_id: MessageId = MessageId::derived(&["message"]);
    let entry: EntryId = EntryId::derived(&["entry"]);
    let own = Feed::User(user.clone());
    let clients = Feed::Role(Role::Client);
    let category = Category::parse("Web Design").unwrap().key();
    let price = Price::parse(Money::new(1999, Currency::USD)).unwrap();
    let active = ServiceStatus::Active;
    let at = Timestamp::from_second(1_760_000_000).unwrap();
    let time = "2025-10-09T08:53:20.000000Z";

    let shard = shard_of(order.as_str(), SHARDS);
    for (key, pk, sk) in [
        (super::user(&user), format!("USER#{user}"), "USER".to_owned()),
        (username("ann"), "USERNAME#ann".into(), "USERNAME".into()),
        (email("ann@example.com"), "EMAIL#ann@example.com".into(), "EMAIL".into()),
        (session(&user, "s"), format!("USER#{user}"), "SESSION#s".into()),
        (known_ip_address(&user, "h"), format!("USER#{user}"), "SOURCE#h".into()),
        (admins(), "ADMINS".into(), "COUNT".into()),
        (super::service(&service), format!("SERVICE#{service}"), "SERVICE".into()),
        (super::category(&category), "CATEGORIES".into(), category.to_string()),
        (super::order(&order), format!("ORDER#{order}"), "ORDER".into()),
        (stripe_event("evt_1"), "STRIPE#evt_1".into(), "EVENT".into()),
        (message(&order, &message_id), format!("MESSAGE#{order}"), message_id.to_string()),
        (rate("tickets", "ann", 60), "RATE#tickets#ann".into(), "60".into()),
        (feed_head(&clients), "FEED#role:clients".into(), "HEAD".into()),
        (feed_seen(&clients, &entry), "FEED#role:clients".into(), format!("SEEN#{entry}")),
        (feed_entry(&own, 7), format!("ENTRIES#user:{user}"), "00000000000000000007".into()),
        (ticket("h"), "TICKET#h".into(), "TICKET".into()),
        (connection("c"), "CONN#c".into(), "CONN".into()),
        (socket_of(&user, "c"), format!("USER#{user}"), "c".into()),
        (subscription(&own, "c"), format!("FEED#0#user:{user}"), "c".into()),
        (subscription(&clients, "c"), "FEED#3#role:clients".into(), "c".into()),
        (shard_target(&clients, 3), "FAN#3#role:clients".into(), "DUE".into()),
        (shard_progress(&clients, 3), "FAN#3#role:clients".into(), "DONE".into()),
        (lagging_socket("c", &clients), "LATE#c".into(), "role:clients".into()),
        (
            index::user_with_role(Role::Client, at, &user),
            "USERS#client".into(),
            format!("{time}#{user}"),
        ),
        (index::user_by_username("ann"), "USERS".into(), "ann".into()),
        (
            index::inactive_user(UserStatus::Suspended, at, &user),
            "USERS#suspended".into(),
            format!("{time}#{user}"),
        ),
        (index::service(active, at, &service), "SERVICES".into(), format!("{time}#{service}")),
        (
            index::service_in_category_by_price(active, price, &category, at, &service),
            format!("SERVICES#usd#{category}"),
            format!("000000001999#{time}#{service}"),
        ),
        (
            index::message_with_worker(&order, &user, at, &message_id),
            format!("MESSAGES#{order}#{user}"),
            format!("{time}#{message_id}"),
        ),
        (
            index::order_of_client(&user, at, &order),
            format!("CLIENT#{user}"),
            format!("{time}#{order}"),
        ),
        (index::open_order(at, &order), format!("OPEN#{shard}"), format!("{time}#{order}")),
        (
            index::open_order_in_category(&category, at, &order),
            format!("OPEN#{shard}#{category}"),
            format!("{time}#{order}"),
        ),
        (index::timer(at, &order), format!("TIMER#{shard}"), format!("{time}#{order}")),
        (
            index::order_with_unsettled_money(at, &order),
            format!("MONEY#{shard}"),
            format!("{time}#{order}"),
        ),
        (index::order_for_attention(at, &order), "ATTENTION".into(), format!("{time}#{order}")),
        (
            index::stripe_event("pending", at, "evt_1"),
            "STRIPE#pending".into(),
            format!("{time}#evt_1"),
        ),
    ] {
        assert_eq!((key.pk, key.sk), (pk, sk));
    }
}

#[test]
fn only_keys_of_shard_targets_and_lagging_sockets_are_parsed() {
    for feed in [Feed::Role(Role::Client), Feed::User(UserId::derived(&["user"]))] {
        let (target, lagging) = (shard_target(&feed, 5), lagging_socket("c", &feed));
        assert_eq!(parse_shard_target(&target.pk, &target.sk), Some((feed.clone(), 5)));
        assert_eq!(
            parse_lagging_socket(&lagging.pk, &lagging.sk),
            Some(("c".to_owned(), feed.clone()))
        );
        assert_eq!(parse_shard_target(&lagging.pk, &lagging.sk), None);
        assert_eq!(parse_lagging_socket(&target.pk, &target.sk), None);
        let progress = shard_progress(&feed, 5);
        assert_eq!(parse_shard_target(&progress.pk, &progress.sk), None);
    }
    assert_eq!(parse_shard_target("FAN#8#role:clients", "DUE"), None, "there are 8 shards");
}
