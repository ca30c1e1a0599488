//! The process group of all functions. It makes the functions end when the cloud ends, even when
//! the cloud is killed and can't stop them itself.

use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::log::Log;

/// A process group led by a shell. The shell waits until its standard input closes, which happens
/// when the cloud ends, and then kills the whole group.
#[derive(Debug)]
pub(super) struct Group {
    /// Dropping it closes its input, which ends the group. `None` if the shell did not start.
    leader: Option<Child>,
}

impl Group {
    pub(super) fn new(log: &Log) -> Self {
        let leader = Command::new("sh")
            .args(["-c", "read -r _; kill -KILL 0"])
            // A new group for the functions, because Ctrl-C in a terminal signals the cloud's whole
            // group. Only the cloud should get the signal: it stops its functions in order.
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
                    "if the local cloud is killed, its functions may go on running, \
                     because sh did not start: {error}"
                ),
            );
        }
        Self { leader: leader.ok() }
    }

    /// Returns the id of the group for new processes. Without a leader it is 0, which gives each
    /// process a group of its own.
    pub(super) fn id(&self) -> i32 {
        self.leader.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok()).unwrap_or(0)
    }
}
