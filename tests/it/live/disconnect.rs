//! The `$disconnect` route.

use serde_json::json;

use crate::support::{Socket, eventually, new_client, shared_cloud};

#[tokio::test]
async fn a_closed_socket_is_forgotten() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let query = json!({
        "TableName": cloud.connections_table().await,
        "KeyConditionExpression": "pk = :user",
        "ExpressionAttributeValues": {":user": {"S": format!("USER#{}", user.id().await)}},
        "ConsistentRead": true,
    });
    let sockets = async || cloud.dynamodb("Query", query.clone()).await["Count"].clone();
    let (first, _) = Socket::connect_and_hello(&user, json!({})).await;
    let (mut second, _) = Socket::connect_and_hello(&user, json!({})).await;
    assert_eq!(sockets().await, 2);
    drop(first);
    eventually("one socket is left", async || (sockets().await == 1).then_some(())).await;
    second.assert_open().await;
}
