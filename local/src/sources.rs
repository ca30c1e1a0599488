//! Finds the files that changed since the last check.
//!
//! It compares modification times and sizes instead of using notifications of the operating system.
//! That takes a millisecond or two for a few hundred files, needs no dependency, and works on every
//! file system (folders mounted into containers send no notifications) and with every way in which
//! editors save files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files and folders, with their state at the last check.
#[derive(Debug)]
pub(crate) struct Sources {
    roots: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Stamp>,
}

/// A file's modification time and size, one of which changes when it is written.
type Stamp = (Option<SystemTime>, u64);

impl Sources {
    /// Watches these files, and all files in these folders, except hidden files, `target` folders
    /// and editors' backups (`name~`).
    pub(crate) fn new(roots: Vec<PathBuf>) -> Self {
        let seen = scan(&roots);
        Self { roots, seen }
    }

    /// Returns the files that were changed, added or removed since the last call.
    pub(crate) fn changes(&mut self) -> Vec<PathBuf> {
        let now = scan(&self.roots);
        let before = std::mem::replace(&mut self.seen, now);
        let changed = self.seen.iter().filter(|(path, stamp)| before.get(*path) != Some(*stamp));
        let removed = before.iter().filter(|(path, _)| !self.seen.contains_key(*path));
        changed.chain(removed).map(|(path, _)| path.clone()).collect()
    }
}

fn scan(roots: &[PathBuf]) -> BTreeMap<PathBuf, Stamp> {
    let mut files = BTreeMap::new();
    for root in roots {
        add(root, &mut files);
    }
    files
}

/// Adds the file at `path`, or the files in the folder at `path`. Files that can't be read are
/// skipped.
fn add(path: &Path, files: &mut BTreeMap<PathBuf, Stamp>) {
    let Ok(metadata) = path.metadata() else { return };
    if metadata.is_file() {
        files.insert(path.to_owned(), (metadata.modified().ok(), metadata.len()));
    }
    if !metadata.is_dir() {
        return;
    }
    for entry in path.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Links are skipped, because they could form a cycle.
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if !name.starts_with('.') && !name.ends_with('~') && name != "target" && !is_link {
            add(&entry.path(), files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn changed_added_and_removed_files_are_returned_once() {
        let folder = std::env::temp_dir().join(format!("sources-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(folder.join("src/target")).unwrap();
        let (kept, gone) = (folder.join("src/kept.rs"), folder.join("src/gone.rs"));
        fs::write(&kept, "1").unwrap();
        fs::write(&gone, "1").unwrap();
        let env = folder.join("later.env");
        let mut sources = Sources::new(vec![folder.join("src"), env.clone()]);
        assert!(sources.changes().is_empty());
        fs::write(&kept, "12").unwrap();
        fs::remove_file(&gone).unwrap();
        fs::write(&env, "A=1").unwrap();
        for ignored in [".kept.rs.swp", "kept.rs~", "target/built"] {
            fs::write(folder.join("src").join(ignored), "").unwrap();
        }
        assert_eq!(sources.changes(), [env, kept, gone]);
        assert!(sources.changes().is_empty());
        fs::remove_dir_all(folder).unwrap();
    }
}
