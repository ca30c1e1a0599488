//! Rebuilds the functions when their code changes, and replaces the processes that run the old
//! code.
//!
//! Invocations in progress finish on the old code; streams, sockets and the database go on. When
//! the new code does not compile, Cargo's errors are shown and the old functions stay.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::programs::Programs;
use crate::cargo::Progress;
use crate::functions::Functions;
use crate::log::Log;
use crate::sources::Sources;

/// How often files are looked at. A change is acted upon when the next look finds no other, so that
/// a tool that writes many files causes one build.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What is watched, and what is built when it changes.
pub(super) struct Reload {
    /// The project's folder.
    root: PathBuf,
    programs: Programs,
    release: bool,
    /// The functions' code.
    code: Sources,
    /// The template and the files of variables, which are read at the start only.
    configuration: Sources,
}

impl Reload {
    /// Notices what changes from now on.
    pub(super) fn new(
        root: PathBuf,
        programs: Programs,
        release: bool,
        configuration: Vec<PathBuf>,
    ) -> Self {
        let code = Sources::new(programs.sources());
        Self { root, programs, release, code, configuration: Sources::new(configuration) }
    }

    /// Goes on until it is dropped.
    pub(super) async fn run(mut self, functions: Functions, log: Log) {
        let say = |text: &str| log.line("local", None, text);
        let mut binaries = Sources::new(self.programs.built(self.release));
        loop {
            sleep(LOOK_EVERY).await;
            for file in self.configuration.changes() {
                say(&format!("{} changed: restart to apply it", self.name(&file)));
            }
            let changed = self.code.changes();
            let Some(first) = changed.first() else { continue };
            let others = match changed.len() - 1 {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            say(&format!("{}{others} changed: building", self.name(first)));
            self.wait_for_the_last_change().await;
            let began = Instant::now();
            let built = self.programs.build(self.release, Progress::Hidden).await;
            let took = format!("{:.1} s", began.elapsed().as_secs_f64());
            match built {
                Err(error) => say(&format!("{error}; the functions built before go on")),
                Ok(()) if binaries.changes().is_empty() => {
                    say(&format!("nothing to replace, after {took}"))
                }
                Ok(()) => {
                    functions.replace().await;
                    say(&format!("the new code answers, after {took}"));
                }
            }
        }
    }

    async fn wait_for_the_last_change(&mut self) {
        sleep(LOOK_EVERY / 2).await;
        while !self.code.changes().is_empty() {
            sleep(LOOK_EVERY / 2).await;
        }
    }

    /// The path within the workspace, as people know it.
    fn name(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }
}
