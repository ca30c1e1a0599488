//! A small run, as part of the tests.

use std::sync::Arc;

use super::{Plan, run};
use crate::support::Cloud;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_socket_ends_with_exactly_its_feeds_despite_killed_sockets_and_functions() {
    let cloud = Arc::new(Cloud::start("soak", &["--ephemeral"]));
    let plan = Plan {
        sockets: 50,
        seconds: 10,
        orders: 1.0,
        kills: 3.0,
        faults: 2.0,
        kill_functions: true,
    };
    let report = run(&cloud, &plan).await.unwrap();
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.arrivals().count > 100, "too few entries were pushed: {report}");
}
