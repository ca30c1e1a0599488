//! The main use case from registration to completion, with every party connected.

use serde_json::json;

use crate::support::{Socket, admin, new_client, new_worker, pay, price, shared_cloud, unique};

#[tokio::test]
async fn an_order_goes_from_payment_to_completion_and_every_party_sees_it_live() {
    let cloud = shared_cloud();
    let category = unique("Main job ");
    let (client, worker, admin) =
        (new_client(cloud).await, new_worker(cloud, &[&category]).await, admin(cloud).await);

    let body = json!({
        "name": "A web site", "description": "One page.", "category": category,
        "price": price(1999),
    });
    let service = admin.api.post("/services", body).await.expect_status(201);
    let service = service["id"].as_str().expect("an id");
    let listed = cloud
        .client()
        .get(&format!("/services?category={}", category.replace(' ', "%20")))
        .await
        .expect_status(200);
    assert_eq!(listed["items"][0]["id"], service);
    let read = cloud.client().get(&format!("/services/{service}")).await.expect_status(200);
    assert_eq!(read["price"], price(1999));

    let (mut workers_socket, _) = Socket::connect_and_hello(&worker, json!({})).await;
    let (mut clients_socket, _) = Socket::connect_and_hello(&client, json!({})).await;

    let order = client
        .api
        .post("/orders", json!({"service_id": service, "note": "In blue, please."}))
        .await
        .expect_status(201);
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("pending"), &json!("unpaid")));
    let id = order["id"].as_str().expect("an id").to_owned();
    let path = format!("/orders/{id}");

    let paid = pay(cloud, &client, &id, "pm_card_visa").await;
    assert_eq!(paid["status"], 200, "{paid:#}");
    assert_eq!(paid["payment"]["amount"], 1999);

    let opened = workers_socket.next_entry("order.opened", &id).await;
    assert_eq!(opened["data"]["status"], "open");
    let open = worker
        .api
        .get(&format!("/orders/open?category={}", category.replace(' ', "%20")))
        .await
        .expect_status(200);
    assert_eq!(open["items"][0]["id"], id.as_str());
    assert_eq!(open["items"][0]["actions"], json!(["accept"]));

    let accepted = worker.api.post(&format!("{path}/accept"), json!({})).await.expect_status(200);
    assert_eq!(accepted["worker"]["username"], worker.username.as_str());
    let assigned = clients_socket.next_entry("order.assigned", &id).await;
    assert_eq!(assigned["data"]["worker"]["username"], worker.username.as_str());

    worker
        .api
        .post(&format!("{path}/deliver"), json!({"note": "Here it is."}))
        .await
        .expect_status(200);
    clients_socket.next_entry("order.delivered", &id).await;
    let completed =
        client.api.post(&format!("{path}/complete"), json!({})).await.expect_status(200);
    assert_eq!(completed["status"], "completed");
    workers_socket.next_entry("order.completed", &id).await;
    assert_eq!(client.api.get(&path).await.expect_status(200)["actions"], json!([]));
}
