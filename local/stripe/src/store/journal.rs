//! The data file: a journal with one line for each transaction, a JSON array of the records that
//! it wrote.
//!
//! A crash can cut the last line short. That transaction then counts as not made. So the objects,
//! events and idempotency keys of a call are stored together or not at all. The journal is flushed
//! to the operating system but not to the disk. It survives a crash of the process, but maybe not
//! one of the machine.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::record::Record;

/// The open journal. Only one process at a time can have it open.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens or creates the journal at `path`. Returns it with its records in order.
    ///
    /// # Errors
    /// When another process has the file open, when it is damaged before its last line, or when it
    /// cannot be read or written.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<Record>)> {
        let display = path.display();
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
        }
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .with_context(|| format!("cannot open {display}"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another process uses {display}"),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {display}"));
            }
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(|| format!("cannot read {display}"))?;
        // Text after the last newline is a line that was cut short.
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut records = Vec::new();
        for (index, line) in complete.lines().enumerate() {
            let written: Vec<Record> = serde_json::from_str(line).with_context(|| {
                format!("{display} line {} is damaged; delete the file to start afresh", index + 1)
            })?;
            records.extend(written);
        }
        Ok((Self { path: path.to_owned(), file }, records))
    }

    /// Appends a transaction.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mut line = serde_json::to_vec(records)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }

    /// Replaces the journal with one that has only `records`, without their earlier versions.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn rewrite(&mut self, records: impl Iterator<Item = Record>) -> Result<()> {
        let temporary = self.path.with_extension("jsonl.new");
        let replace = || -> io::Result<File> {
            let mut file = File::create(&temporary)?;
            file.lock()?;
            let mut lines = Vec::new();
            for record in records {
                serde_json::to_writer(&mut lines, &[record])?;
                lines.push(b'\n');
            }
            file.write_all(&lines)?;
            fs::rename(&temporary, &self.path)?;
            Ok(file)
        };
        self.file = replace().with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }
}
