//! `POST /orders/{id}/deliver`.

use serde_json::json;

use crate::support::{Job, cloud};

#[tokio::test]
async fn a_lost_database_response_neither_repeats_nor_hides_the_delivery() {
    let cloud = cloud();
    let job = Job::in_state(cloud, "assigned").await;
    let before = job.read(&job.client).await["version"].as_u64().expect("a version");
    let database = crate::support::Client::new(&cloud.ready.dynamodb);
    let fault =
        json!({"function": "orders-deliver", "action": "PutItem", "error": "lost_response"});
    let planted = database.post("/_local/faults", fault).await;
    assert!(planted.status.is_success(), "{planted:?}");
    // Another test's delivery may meet the fault instead, with the same result.
    assert_eq!(job.moves(&job.worker, "deliver").await["status"], "delivered");
    assert_eq!(job.read(&job.client).await["version"], before + 1);
}
