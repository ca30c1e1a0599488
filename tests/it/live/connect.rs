//! The `$connect` route.

use crate::support::{Socket, new_client, shared_cloud};

#[tokio::test]
async fn an_eleventh_socket_closes_the_oldest_one() {
    let client = new_client(shared_cloud()).await;
    let mut sockets = Vec::new();
    for _ in 0..11 {
        sockets.push(Socket::connect(&client).await);
    }
    sockets.remove(0).until_closed().await;
    for socket in &mut sockets {
        socket.assert_open().await;
    }
}
