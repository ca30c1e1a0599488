//! Request bodies of every route.

use http::Method;

use super::{IGNORES_UNKNOWN, World, assert_common_headers};

#[tokio::test]
async fn a_body_of_64_kib_is_accepted_and_a_larger_one_rejected() {
    let world = World::new().await;
    let largest = 64 * 1024;
    for route in world.writes() {
        let json = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
        let send = async |length| {
            world
                .anyone()
                .send(route.method.clone(), &route.path, "application/json", json(length).into())
                .await
        };
        let answer = send(largest + 1).await;
        assert_common_headers(&answer, route);
        answer.problem(413, "body_too_large");
        assert_ne!(send(largest).await.status, 413, "{route}");
    }
    let webhook = async |length| {
        world.anyone().send(Method::POST, "/webhooks/stripe", "", vec![b' '; length].into()).await
    };
    webhook(1024 * 1024).await.problem(400, "invalid_signature");
    webhook(1024 * 1024 + 1).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn another_media_type_is_rejected() {
    let world = World::new().await;
    for route in world.writes() {
        for media_type in [
            "",
            "text/plain",
            "application/xml",
            "application/json; charset=utf-16",
            "application/jsonp",
        ] {
            world
                .first_permitted(route, media_type, b"{}")
                .await
                .problem(415, "unsupported_media_type");
        }
        let encoded =
            world.people.iter().map(|user| user.api.with_header("content-encoding", "gzip"));
        for api in encoded {
            let answer =
                api.send(route.method.clone(), &route.path, "application/json", "{}".into()).await;
            assert!([403, 415].contains(&answer.status.as_u16()), "{route}: {:#}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_malformed() {
    let world = World::new().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let bodies: [&[u8]; 12] = [
        b"{",
        b"{} {}",
        b"[]",
        b"null",
        b"\"text\"",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\0\"}",
        br#"{"a":"\ud800"}"#,
        br#"{"a":1,"a":1}"#,
        b"\0",
        deep.as_bytes(),
    ];
    for route in world.writes() {
        // All endpoints share the parser, so one endpoint gets every body and the others get one.
        let bodies = if route.function == "services-create" { &bodies[..] } else { &bodies[..1] };
        for body in bodies {
            world
                .first_permitted(route, "application/json; charset=UTF-8", body)
                .await
                .problem(400, "malformed_request");
        }
    }
}

#[tokio::test]
async fn an_unknown_field_is_reported() {
    let world = World::new().await;
    for route in world.writes().filter(|route| route.function != IGNORES_UNKNOWN) {
        let answer = world.first_permitted(route, "application/json", br#"{"surprise": 1}"#).await;
        assert_eq!(answer.status, 422, "{route}: {:#}", answer.body);
        let wrong = answer.field_errors();
        assert!(
            wrong.contains(&("surprise".to_owned(), "unknown".to_owned())),
            "{route}: {wrong:?}"
        );
    }
}
