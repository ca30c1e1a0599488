//! The process group of all functions. It makes them end with the cloud even when the cloud is
//! killed and cannot end them itself.

use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::log::Log;

/// A shell leads the group. It waits until the cloud is gone, which closes its standard input, and
/// kills what is left of the group.
#[derive(Debug)]
pub(super) struct Group {
    /// Dropping it closes its input, which ends it.
    leader: Option<Child>,
}

impl Group {
    pub(super) fn new(log: &Log) -> Self {
        let leader = Command::new("sh")
            .args(["-c", "read -r _; kill -KILL 0"])
            // Not the cloud's group: Ctrl-C in a terminal reaches a whole group, but the cloud ends
            // the functions itself, in order.
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

    /// The group for a new process. Without a leader it is 0, which means a group of its own.
    pub(super) fn id(&self) -> i32 {
        self.leader.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok()).unwrap_or(0)
    }
}
