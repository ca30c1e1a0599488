//! `POST /live/tickets`.

use serde_json::json;

use crate::support::{Socket, new_client, shared_cloud};

#[tokio::test]
async fn a_ticket_opens_one_socket_and_nothing_else_opens_any() {
    let cloud = shared_cloud();
    let client = new_client(cloud).await;
    cloud.client().post("/live/tickets", json!({})).await.problem(401, "unauthenticated");
    client
        .api
        .post("/live/tickets", json!({"for": "ever"}))
        .await
        .problem(422, "validation_failed");
    let ticket = client.api.post("/live/tickets", json!({})).await.expect_status(200);
    assert_eq!(ticket["expires_in"], 60);
    assert_eq!(ticket["user_id"], client.id().await);
    let (token, url) = (ticket["ticket"].as_str().unwrap(), ticket["url"].as_str().unwrap());
    assert!(url.ends_with(&format!("?ticket={token}")), "{url}");
    let bare = url.split('?').next().unwrap();

    assert_eq!(Socket::handshake_status(bare, None).await, 401);
    assert_eq!(Socket::handshake_status(&format!("{bare}?ticket="), None).await, 401);
    assert_eq!(
        Socket::handshake_status(&format!("{bare}?ticket=tk_{}", "A".repeat(43)), None).await,
        401
    );
    assert_eq!(Socket::handshake_status(url, Some("https://evil.example")).await, 403);
    assert_eq!(Socket::handshake_status(url, Some("null")).await, 403);
    // A handshake that is rejected for its origin does not use up the ticket.
    let mut socket =
        Socket::open(url, Some("http://localhost:3000")).await.expect("an allowed origin");
    assert_eq!(Socket::handshake_status(url, None).await, 401, "a ticket is valid once");
    socket.assert_open().await;
}
