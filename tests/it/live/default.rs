//! The `$default` route: messages from clients.

use serde_json::json;

use crate::support::{Socket, new_client, shared_cloud};

#[tokio::test]
async fn every_message_is_answered_and_the_socket_stays_open() {
    let client = new_client(shared_cloud()).await;
    let mut socket = Socket::connect(&client).await;
    for (message, code) in [
        ("no JSON", "malformed_request"),
        ("[1]", "malformed_request"),
        ("{}", "malformed_request"),
        (r#"{"action":"$connect"}"#, "unknown_action"),
        (r#"{"action":"hello","after":[]}"#, "validation_failed"),
        (r#"{"action":"hello","after":{"user:x":-1}}"#, "validation_failed"),
    ] {
        socket.send_text(message).await;
        let answer = socket.next().await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{message}"
        );
        assert!(answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    socket.send_text(&format!(r#"{{"action":"ping","pad":"{}"}}"#, "x".repeat(20_000))).await;
    assert_eq!(socket.next().await["code"], "body_too_large");
    socket.assert_open().await;
}

#[tokio::test]
async fn too_many_messages_are_rejected_and_the_socket_stays_open() {
    let cloud = shared_cloud();
    // Twice the limit and one more, because a new minute may begin at any time.
    for (message, limit) in [(json!({"action": "hello"}), 12), (json!({"action": "ping"}), 120)] {
        let user = new_client(cloud).await;
        let mut socket = Socket::connect(&user).await;
        let mut refused = 0;
        for _ in 0..2 * limit + 1 {
            socket.send(message.clone()).await;
            let answer = socket.next().await;
            match answer["type"].as_str().unwrap() {
                "welcome" | "pong" => {}
                _ => {
                    assert_eq!(answer["code"], "too_many_requests", "{answer:#}");
                    refused += 1;
                }
            }
        }
        assert!((1..=limit + 1).contains(&refused), "{refused} refused of {message}");
        if message["action"] == "hello" {
            socket.assert_open().await;
        }
    }
}

#[tokio::test]
async fn an_expired_socket_is_closed_when_it_sends_a_message() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let (mut socket, _) = Socket::connect_and_hello(&user, json!({})).await;
    // Deletes the connection, as TTL does after two hours.
    let table = cloud.connections_table().await;
    let query = json!({
        "TableName": table,
        "KeyConditionExpression": "pk = :user",
        "ExpressionAttributeValues": {":user": {"S": format!("USER#{}", user.id().await)}},
    });
    let listed = cloud.dynamodb("Query", query).await["Items"].clone();
    let id = listed[0]["sk"]["S"].as_str().unwrap();
    let key = json!({"pk": {"S": format!("CONN#{id}")}, "sk": {"S": "CONN"}});
    cloud.dynamodb("DeleteItem", json!({"TableName": table, "Key": key})).await;
    socket.send(json!({"action": "ping"})).await;
    socket.until_closed().await;
}
