//! The data directory, from which the next run continues. One cloud at a time uses it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The data directory of one run. It is locked until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    ephemeral: bool,
    _lock: Option<File>,
}

impl DataDir {
    /// Takes the directory `path`, and creates it if it is missing.
    ///
    /// # Errors
    /// When another cloud uses it, or it can't be written.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("cannot create the data directory {}", path.display()))?;
        let path =
            path.canonicalize().with_context(|| format!("cannot read {}", path.display()))?;
        let lock = File::create(path.join("lock"))
            .with_context(|| format!("cannot write to the data directory {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, ephemeral: false, _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => bail!(
                "another local cloud is running on the data directory {}: stop it, or use another \
                 directory with --data-dir or --ephemeral",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Creates a temporary directory, which is removed after the run.
    ///
    /// # Errors
    /// When the system's temporary directory can't be written.
    pub(crate) fn ephemeral() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("local-cloud-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path, ephemeral: true, _lock: None })
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder for data that the next run needs, or `None` for an ephemeral run.
    pub(crate) fn persistent_path(&self) -> Option<&Path> {
        (!self.ephemeral).then_some(&self.path)
    }

    /// Returns the folder of the links that [`Self::link`] creates.
    pub(crate) fn bin(&self) -> PathBuf {
        self.path.join("bin")
    }

    /// Creates a link `bin/<name>` to the program of each of `links`, and removes all other links.
    /// A program that contains several functions finds out from the link's name which one to run.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub(crate) fn link(&self, links: &[(&str, PathBuf)]) -> Result<()> {
        let bin = self.bin();
        if bin.exists() {
            std::fs::remove_dir_all(&bin)
                .with_context(|| format!("cannot remove {}", bin.display()))?;
        }
        std::fs::create_dir_all(&bin)
            .with_context(|| format!("cannot create {}", bin.display()))?;
        for (name, program) in links {
            let link = bin.join(name);
            std::os::unix::fs::symlink(program, &link)
                .with_context(|| format!("cannot create {}", link.display()))?;
        }
        Ok(())
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.ephemeral {
            // If this fails, the system will clean up its temporary directory.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_cloud_on_the_same_directory_is_rejected_until_the_first_ends() {
        let path = std::env::temp_dir().join(format!("data-dir-{}", uuid::Uuid::now_v7()));
        let first = DataDir::open(&path).unwrap();
        let error = DataDir::open(&path).unwrap_err().to_string();
        assert!(
            error.starts_with("another local cloud is running on the data directory"),
            "{error}"
        );
        drop(first);
        drop(DataDir::open(&path).unwrap());
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn links_are_replaced_in_each_run_and_removed_after_an_ephemeral_one() {
        let directory = DataDir::ephemeral().unwrap();
        let shell = || PathBuf::from("/bin/sh");
        directory.link(&[("old", shell())]).unwrap();
        directory.link(&[("a", shell()), ("b", shell())]).unwrap();
        let bin = directory.bin();
        assert!(bin.join("a").is_file() && bin.join("b").is_file() && !bin.join("old").exists());
        drop(directory);
        assert!(!bin.exists());
    }
}
