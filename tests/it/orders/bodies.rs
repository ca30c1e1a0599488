//! Request bodies of the transitions.

use serde_json::json;

use crate::support::{Job, admin, cloud};

#[tokio::test]
async fn wrong_bodies_are_refused_by_the_names_of_their_fields() {
    let job = Job::in_state(cloud(), "disputed").await;
    let admin = admin(cloud()).await;
    let too_long = "x".repeat(10_000);
    for (user, verb, body, wrong) in [
        (&job.client, "cancel", json!({}), &[("reason", "required")][..]),
        (
            &job.client,
            "cancel",
            json!({"note": "x"}),
            &[("reason", "required"), ("note", "unknown")],
        ),
        (&job.client, "dispute", json!({"reason": 7}), &[("reason", "not_a_string")]),
        (&job.client, "dispute", json!({"reason": too_long}), &[("reason", "too_long")]),
        (&job.client, "complete", json!({"note": too_long}), &[("note", "too_long")]),
        (&admin, "resolve", json!({}), &[("outcome", "required"), ("note", "required")]),
        (&admin, "resolve", json!({"outcome": "split", "note": "x"}), &[("outcome", "invalid")]),
        (&admin, "reassign", json!({"worker_id": "nobody"}), &[("worker_id", "invalid_id")]),
        (&admin, "reassign", json!({"worker": "x"}), &[("worker", "unknown")]),
    ] {
        let fields = user.api.post(&job.path(verb), body).await.wrong_fields();
        let fields: Vec<_> =
            fields.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
        assert_eq!(fields, wrong, "{verb}");
    }
}
