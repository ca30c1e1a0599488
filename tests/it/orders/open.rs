//! `GET /orders/open`.

use serde_json::{Value, json};

use crate::support::{new_client, new_service, new_worker, pay, place_order, shared_cloud, unique};

#[tokio::test]
async fn a_released_order_returns_to_the_front_of_the_pool() {
    let cloud = shared_cloud();
    let (category, owner, worker) =
        (unique("Pool "), new_client(cloud).await, new_worker(cloud, &[]).await);
    let service = new_service(cloud, &category).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        let order = place_order(&owner, &service).await;
        assert_eq!(pay(cloud, &owner, &order, "pm_card_visa").await["status"], 200);
        crate::support::until_status(&owner, &order, "open").await;
        orders.push(order);
    }
    let pool = async || {
        // Reads pages of two orders.
        let path = format!("/orders/open?category={}&limit=2", category.replace(' ', "%20"));
        let first = worker.api.get(&path).await.expect_status(200);
        let mut all = first["items"].as_array().expect("items").clone();
        if let Some(cursor) = first["next_cursor"].as_str() {
            let next = worker.api.get(&format!("{path}&cursor={cursor}")).await.expect_status(200);
            all.extend(next["items"].as_array().expect("items").clone());
            assert_eq!(next["next_cursor"], Value::Null);
        }
        all.into_iter()
            .map(|order| order["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(pool().await, orders);
    worker.api.post(&format!("/orders/{}/accept", orders[0]), json!({})).await.expect_status(200);
    assert_eq!(pool().await, orders[1..]);
    worker.api.post(&format!("/orders/{}/release", orders[0]), json!({})).await.expect_status(200);
    assert_eq!(pool().await, orders);
}
