//! The `$connect` route.

use crate::support::{Socket, client, cloud};

#[tokio::test]
async fn an_eleventh_socket_closes_the_oldest_one() {
    let client = client(cloud()).await;
    let mut sockets = Vec::new();
    for _ in 0..11 {
        sockets.push(Socket::connect(&client).await);
    }
    sockets.remove(0).closed().await;
    for socket in &mut sockets {
        socket.assert_open().await;
    }
}
