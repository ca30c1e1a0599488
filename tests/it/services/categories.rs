//! `GET /services/categories`.

use serde_json::{Value, json};

use super::{add, count, list};
use crate::support::{Client, admin, price, shared_cloud, unique};

#[tokio::test]
async fn active_services_are_counted_exactly_under_concurrent_changes() {
    let cloud = shared_cloud();
    let (admin, anyone) = (admin(cloud).await.api, cloud.client());
    let (first, second) = (unique("Count A "), unique("Count B "));
    assert_eq!(count(&anyone, &first).await, Value::Null);
    let adding = (0..8).map(|n| {
        let (admin, first) = (admin.clone(), first.clone());
        async move { add(&admin, &format!("S{n}"), "", &first, price(500)).await }
    });
    let ids = futures::future::join_all(adding).await;
    assert_eq!(count(&anyone, &first).await, 8);

    // Concurrently, every other service is moved to another category and the rest are deactivated,
    // each three times.
    let changes = ids.iter().enumerate().flat_map(|(n, id)| {
        let (admin, path, second) = (admin.clone(), format!("/services/{id}"), second.clone());
        (0..3).map(move |_| {
            let (admin, path, second) = (admin.clone(), path.clone(), second.clone());
            async move {
                let answer = match n % 2 {
                    0 => admin.patch(&path, json!({"category": second})).await,
                    _ => admin.delete(&path).await,
                };
                assert!([200, 204, 409, 503].contains(&answer.status.as_u16()), "{answer:?}");
            }
        })
    });
    futures::future::join_all(changes).await;
    // Repeats the requests that failed because of the contention.
    for (n, id) in ids.iter().enumerate() {
        match n % 2 {
            0 => drop(
                admin
                    .patch(&format!("/services/{id}"), json!({"category": second}))
                    .await
                    .expect_status(200),
            ),
            _ => drop(admin.delete(&format!("/services/{id}")).await.expect_status(204)),
        }
    }
    assert_eq!(
        count(&anyone, &first).await,
        Value::Null,
        "a category without services is not listed"
    );
    assert_eq!(count(&anyone, &second).await, 4);
    assert_eq!(
        list(&anyone, &format!("/services?category={}", Client::percent_encode(&second)))
            .await
            .len(),
        4
    );

    // If a category is spelled in several ways, the latest spelling is shown.
    let shouted = second.to_uppercase();
    admin
        .patch(&format!("/services/{}", ids[0]), json!({"category": shouted}))
        .await
        .expect_status(200);
    assert_eq!(count(&anyone, &shouted).await, 4);
    admin
        .patch(&format!("/services/{}", ids[1]), json!({"status": "active", "category": second}))
        .await
        .expect_status(200);
    assert_eq!(count(&anyone, &second).await, 5);
}
