//! The bounds on revisions and handovers.

use serde_json::json;

use super::actions;
use crate::support::{Job, cloud};

#[tokio::test]
async fn a_worker_and_a_client_get_no_further_than_the_bounds_of_revisions_and_handovers() {
    let job = Job::in_state(cloud(), "delivered").await;
    for _ in 0..5 {
        job.moves(&job.client, "request-revision").await;
        job.moves(&job.worker, "deliver").await;
    }
    assert_eq!(actions(&job.read(&job.client).await), ["complete", "dispute"]);
    let path = job.path("request-revision");
    let problem = job.client.api.post(&path, json!({})).await.problem(409, "no_revisions_left");
    assert_eq!(problem["order_status"], "delivered");

    let job = Job::in_state(cloud(), "assigned").await;
    for _ in 0..10 {
        job.moves(&job.worker, "release").await;
        job.moves(&job.worker, "accept").await;
    }
    assert_eq!(actions(&job.read(&job.worker).await), ["deliver", "dispute"]);
    job.worker.api.post(&job.path("release"), json!({})).await.problem(409, "no_handovers_left");
}
