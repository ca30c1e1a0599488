//! Functions that run by the clock: when an item fails, the others are processed and the run fails.

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::support::{Cloud, Parties, Shopper, TestOrder, start_without_webhooks, until_status};

/// A cloud in which runs fail, and which tests of other areas must not share.
async fn failing_cloud() -> &'static Cloud {
    static CLOUD: OnceCell<Cloud> = OnceCell::const_new();
    CLOUD.get_or_init(|| start_without_webhooks("failures")).await
}

/// Invokes a function, and returns the message of its error.
async fn error_of(cloud: &Cloud, function: &str, event: Value) -> String {
    let answer = cloud.try_invoke(function, event).await;
    assert!(answer.header("x-amz-function-error").is_some(), "no error: {:#}", answer.body);
    answer.body["errorMessage"].as_str().expect("a message").to_owned()
}

/// Whether a line of the log that says that an item failed contains this text.
fn names(cloud: &Cloud, text: &str) -> bool {
    cloud.log_text().lines().any(|line| line.contains("item failed: ") && line.contains(text))
}

/// Changes a stored order.
async fn update(cloud: &Cloud, order: &str, expression: &str, values: Value) {
    let update = json!({
        "TableName": cloud.table().await,
        "Key": {"pk": {"S": format!("ORDER#{order}")}, "sk": {"S": "ORDER"}},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
        "ReturnValues": "ALL_OLD",
    });
    cloud.dynamodb("UpdateItem", update).await;
}

/// Makes an order due for the timers.
async fn expire(cloud: &Cloud, order: &TestOrder) {
    let past = "2020-01-01T00:00:00.000000Z";
    let values = json!({
        ":past": {"S": past}, ":pk": {"S": "TIMER#0"},
        ":sk": {"S": format!("{past}#{}", order.id)},
    });
    update(cloud, &order.id, "SET doc.deadline = :past, gsi5pk = :pk, gsi5sk = :sk", values).await;
}

#[tokio::test]
async fn an_order_that_fails_fails_the_timers_after_the_other_orders_were_moved() {
    let cloud = failing_cloud().await;
    let parties = Parties::new(cloud).await;
    let orders = [
        TestOrder::between(cloud, &parties, "pending").await,
        TestOrder::between(cloud, &parties, "pending").await,
        TestOrder::between(cloud, &parties, "pending").await,
        TestOrder::between(cloud, &parties, "pending").await,
    ];
    let [first, unreadable, broken, last] = &orders;
    update(cloud, &unreadable.id, "SET doc.price = :broken", json!({":broken": {"S": "broken"}}))
        .await;
    // The index that lists due orders does not hold the history, so it lists this one, too.
    update(cloud, &broken.id, "SET history = :broken", json!({":broken": {"S": "broken"}})).await;
    for order in &orders {
        expire(cloud, order).await;
    }
    // The schedule may have run in between, so only the broken orders are certain to be left.
    let error = error_of(cloud, "orders-timers", json!({})).await;
    assert!(error.contains("items failed (internal: 2)"), "{error}");
    until_status(&first.client, &first.id, "canceled").await;
    until_status(&last.client, &last.id, "canceled").await;
    assert!(names(cloud, &format!("order={}", broken.id)), "the log does not name the order");
    assert!(names(cloud, &format!("ORDER#{}: ", unreadable.id)), "the log does not name the item");

    for order in [unreadable, broken] {
        let delete = json!({
            "TableName": cloud.table().await,
            "Key": {"pk": {"S": format!("ORDER#{}", order.id)}, "sk": {"S": "ORDER"}},
        });
        cloud.dynamodb("DeleteItem", delete).await;
    }
    cloud.invoke("orders-timers", json!({})).await;
}

#[tokio::test]
async fn a_payment_that_fails_fails_the_reconciler_after_the_other_payments_were_settled() {
    let cloud = failing_cloud().await;
    let shopper = Shopper::new(cloud).await;
    let (first, broken, last) = (
        shopper.paid("pm_card_visa").await,
        shopper.paid("pm_card_visa").await,
        shopper.paid("pm_card_visa").await,
    );
    // Stripe is unavailable for one order, longer than a function retries.
    shopper.stripe.fault("error_429", "/v1/refunds", &broken.intent, 1000).await;
    for checkout in [&first, &broken, &last] {
        checkout.cancel().await.expect_status(200);
    }
    let event = json!({"older_than_seconds": 0, "undelivered_hours": 0});
    let error = error_of(cloud, "payments-reconcile", event).await;
    assert!(error.contains("items failed (payments_unavailable: 1)"), "{error}");
    for refunded in [&first, &last] {
        refunded.until_statuses("canceled", "refunded").await;
    }
    assert!(names(cloud, &format!("order={}", broken.order)), "the log does not name the order");
}
