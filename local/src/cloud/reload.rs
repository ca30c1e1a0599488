//! Rebuilds the functions when their code changes, and replaces the processes that run the old
//! code.
//!
//! Invocations in progress finish with the old code; streams, sockets and the database are not
//! affected. If the new code does not compile, Cargo shows the errors and the old functions keep
//! running.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::programs::Programs;
use crate::cargo::Progress;
use crate::functions::Functions;
use crate::log::Log;
use crate::sources::Sources;

/// How often files are checked. A build starts only when the next check finds no further change,
/// so that a tool that writes many files causes a single build.
const CHECK_EVERY: Duration = Duration::from_millis(200);

/// Watches files, and rebuilds the functions when their code changes.
pub(super) struct Reload {
    /// The project's folder.
    root: PathBuf,
    programs: Programs,
    release: bool,
    /// The functions' code.
    code: Sources,
    /// The template and the files with variables, which are only read at the start.
    configuration: Sources,
}

impl Reload {
    /// Watches for changes from now on.
    pub(super) fn new(
        root: PathBuf,
        programs: Programs,
        release: bool,
        configuration: Vec<PathBuf>,
    ) -> Self {
        let code = Sources::new(programs.sources());
        Self { root, programs, release, code, configuration: Sources::new(configuration) }
    }

    /// Runs until the future is dropped.
    pub(super) async fn run(mut self, functions: Functions, log: Log) {
        let log = |text: &str| log.line("local", None, text);
        let mut binaries = Sources::new(self.programs.built(self.release));
        loop {
            sleep(CHECK_EVERY).await;
            for file in self.configuration.changes() {
                log(&format!("{} changed: restart to apply it", self.relative_path(&file)));
            }
            let changed = self.code.changes();
            let Some(first) = changed.first() else { continue };
            let others = match changed.len() - 1 {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            log(&format!("{}{others} changed: building", self.relative_path(first)));
            self.wait_for_the_last_change().await;
            let began = Instant::now();
            let built = self.programs.build(self.release, Progress::Hidden).await;
            let took = format!("{:.1} s", began.elapsed().as_secs_f64());
            match built {
                Err(error) => log(&format!("{error}; the old functions keep running")),
                Ok(()) if binaries.changes().is_empty() => {
                    log(&format!("built in {took}; no function changed"))
                }
                Ok(()) => {
                    functions.replace().await;
                    log(&format!("built in {took}; the new code is running"));
                }
            }
        }
    }

    async fn wait_for_the_last_change(&mut self) {
        sleep(CHECK_EVERY / 2).await;
        while !self.code.changes().is_empty() {
            sleep(CHECK_EVERY / 2).await;
        }
    }

    /// Returns the path relative to the project's folder.
    fn relative_path(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }
}
