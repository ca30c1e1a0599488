use super::*;

/// Both ends of a connection are this process's, whose limit of open files is usually 1 024; a
/// process with a higher one has held 5 000.
const CLIENTS: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_clients_connect_at_once_and_each_gets_its_own_messages() {
    let world = Arc::new(Setup::default().start().await);
    let clients = futures::future::join_all((0..CLIENTS).map(|_| world.client())).await;
    let ids: Vec<_> = world.events().iter().map(|(_, event)| connection_id(event)).collect();
    assert_eq!(ids.len(), CLIENTS);
    for id in &ids {
        let gateway = Arc::clone(&world.running.lock().unwrap().as_ref().unwrap().gateway);
        let connection = gateway.open.get(id).unwrap();
        let message = super::super::connection::Outgoing::Message(id.clone().into());
        connection.send(message, SOON).await.unwrap();
    }
    let mut received = futures::future::join_all(
        clients.into_iter().map(async |mut client| text(&mut client).await),
    )
    .await;
    received.sort();
    let mut sent = ids;
    sent.sort();
    assert_eq!(received, sent);
    world.nth_event("fn $disconnect", CLIENTS - 1).await;
}
