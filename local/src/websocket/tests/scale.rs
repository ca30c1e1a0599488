use super::*;

/// This process holds both ends of each connection, and its limit of open files is usually 1024.
/// With a higher limit, the test has passed with 5000 clients.
const CLIENTS: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_concurrent_clients_each_receive_their_own_message() {
    let api = Arc::new(Setup::default().start().await);
    let clients = futures::future::join_all((0..CLIENTS).map(|_| api.client())).await;
    let ids: Vec<_> = api.events().iter().map(|(_, event)| connection_id(event)).collect();
    assert_eq!(ids.len(), CLIENTS);
    for id in &ids {
        let gateway = Arc::clone(&api.running.lock().unwrap().as_ref().unwrap().gateway);
        let connection = gateway.open.get(id).unwrap();
        let message = super::super::connection::Outgoing::Message(id.clone().into());
        connection.send(message, TIMEOUT).await.unwrap();
    }
    let mut received = futures::future::join_all(
        clients.into_iter().map(async |mut client| next_text(&mut client).await),
    )
    .await;
    received.sort();
    let mut sent = ids;
    sent.sort();
    assert_eq!(received, sent);
    api.nth_event("fn $disconnect", CLIENTS - 1).await;
}
