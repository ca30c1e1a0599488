//! The process group of all functions, so that they end with the cloud however it ends: one that is
//! killed has no say in it any more.

use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::log::Log;

/// A shell leads the group. It waits until the cloud is gone, which closes its standard input, and
/// kills what is left of the group.
#[derive(Debug)]
pub(super) struct Group {
    /// Dropped, it is gone as well: its input closes.
    leader: Option<Child>,
}

impl Group {
    pub(super) fn new(log: &Log) -> Self {
        let leader = Command::new("sh")
            .args(["-c", "read -r _; kill -KILL 0"])
            // Not that of the cloud. Ctrl-C in a terminal goes to the whole group: ending functions
            // is our task, in our order.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Err(error) = &leader {
            log.line(
                "local",
                None,
                &format!(
                    "functions may outlive a cloud that is killed: sh does not start: {error}"
                ),
            );
        }
        Self { leader: leader.ok() }
    }

    /// What a new process is put into: 0, a group of its own, when there is no leader.
    pub(super) fn id(&self) -> i32 {
        self.leader.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok()).unwrap_or(0)
    }
}
