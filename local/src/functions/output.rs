//! Copies what a function's process prints into the log, line by line.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::log::Log;

/// How many lines of stderr are kept to explain a crash at init.
const TAIL: usize = 5;

/// The two pipes of one process.
#[derive(Debug)]
pub(super) struct Output {
    request_id: Shared<Option<String>>,
    tail: Shared<VecDeque<String>>,
    readers: Vec<JoinHandle<()>>,
}

type Shared<T> = Arc<Mutex<T>>;

impl Output {
    /// Sets up the pipes that [`Output::follow`] reads.
    pub(super) fn pipe(command: &mut Command) {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Starts reading both pipes.
    pub(super) fn follow(child: &mut Child, function: &str, log: &Log) -> Self {
        let request_id: Shared<Option<String>> = Arc::default();
        let tail: Shared<VecDeque<String>> = Arc::default();
        let write = {
            let (function, log, request_id) =
                (function.to_owned(), log.clone(), request_id.clone());
            move |line: &str| log.line(&function, lock(&request_id).as_deref(), line)
        };
        let write_and_keep = {
            let (tail, write) = (tail.clone(), write.clone());
            move |line: &str| {
                push(&mut lock(&tail), line);
                write(line);
            }
        };
        let stdout = child.stdout.take().map(|pipe| tokio::spawn(for_each_line(pipe, write)));
        let stderr =
            child.stderr.take().map(|pipe| tokio::spawn(for_each_line(pipe, write_and_keep)));
        Self { request_id, tail, readers: [stdout, stderr].into_iter().flatten().collect() }
    }

    /// Attributes all later lines to this request, even after its reply: some lines may still be in
    /// the pipe, and the function may go on printing.
    pub(super) fn attribute_to(&self, request_id: &str) {
        *lock(&self.request_id) = Some(request_id.to_owned());
    }

    /// Returns the last lines on stderr of a process that has ended, joined with ` | `.
    pub(super) async fn last_lines(&mut self) -> String {
        for reader in &mut self.readers {
            // The pipe ends with the process, unless a child of the process still holds it open.
            drop(tokio::time::timeout(Duration::from_secs(1), reader).await);
        }
        lock(&self.tail).iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }
}

fn push(tail: &mut VecDeque<String>, line: &str) {
    if tail.len() == TAIL {
        tail.pop_front();
    }
    tail.push_back(line.to_owned());
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `handle` with each line that is not empty, until the pipe ends. Invalid UTF-8 is replaced;
/// if reading stopped there, the pipe would fill up and block the function.
async fn for_each_line(pipe: impl AsyncRead + Unpin, mut handle: impl FnMut(&str)) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Ok(1..) = pipe.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        if !text.trim_end().is_empty() {
            handle(text.trim_end());
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn invalid_utf8_does_not_stop_the_reading_of_lines() {
        let mut seen = Vec::new();
        for_each_line(&b"one\r\n\ntw\xffo\nunfinished"[..], |line| seen.push(line.to_owned()))
            .await;
        assert_eq!(seen, ["one", "tw\u{fffd}o", "unfinished"]);
    }

    #[tokio::test]
    async fn the_last_lines_of_stderr_are_kept() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "for i in 1 2 3 4 5 6 7; do echo e$i >&2; echo o$i; done"]);
        Output::pipe(&mut command);
        let mut child = command.spawn().unwrap();
        let mut output = Output::follow(&mut child, "shell", &Log::default());
        child.wait().await.unwrap();
        assert_eq!(output.last_lines().await, "e3 | e4 | e5 | e6 | e7");
    }
}
