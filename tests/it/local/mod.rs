//! Tests of the local cloud as developers use it.

mod failures;
mod reload;
mod start;

use std::path::PathBuf;

use serde_json::json;

use crate::support::{Client, Cloud, eventually, workspace};

/// Injects faults between functions and their database (`local/src/dynamodb/faults.rs`).
struct DatabaseFaults(Client);

impl DatabaseFaults {
    fn of(cloud: &Cloud) -> Self {
        Self(Client::new(&cloud.ready.dynamodb))
    }

    async fn add(&self, function: &str, action: &str, error: &str, times: u32) {
        let fault = json!({"function": function, "action": action, "error": error, "times": times});
        self.0.post("/_local/faults", fault).await.expect_status(201);
    }

    /// Waits until this fault has been used up.
    async fn until_used(&self, function: &str, times: u32) {
        eventually(&format!("{function} meets its fault"), async || {
            let faults = self.0.get("/_local/faults").await.expect_status(200);
            let left = faults
                .as_array()
                .unwrap()
                .iter()
                .find(|f| f["function"] == function && f["times"] == times);
            left.is_none().then_some(())
        })
        .await;
    }

    async fn clear(&self) {
        self.0
            .send(http::Method::DELETE, "/_local/faults", "", Default::default())
            .await
            .expect_status(200);
    }
}

/// Creates an empty directory with this name.
fn scratch(name: &str) -> PathBuf {
    let directory = workspace().join("target/tests").join(name);
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// Starts a cloud that must fail, and returns its error message.
fn start_error(name: &str, flags: &[&str]) -> String {
    let failed = Cloud::try_start(name, flags).err().expect("it does not come up");
    assert_eq!(failed.status.code(), Some(1), "{}", failed.log);
    let last = failed.log.lines().last().and_then(|line| line.strip_prefix("error: "));
    last.expect("an error at the end").to_owned()
}
