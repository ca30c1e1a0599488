//! `MemorySize`, measured from outside.

/// Memory in MB that a process holds and the kernel could not drop: anonymous and shared pages.
/// Mapped files (the binary, above all) are left out, since a cgroup, which is what Lambda uses,
/// would reclaim them first.
///
/// `None` where there is no `/proc` (macOS) and for a process that has just ended. The limit is not
/// applied then. A limit on the address space (`RLIMIT_AS`) is not the same thing: allocators and
/// stacks reserve far more than they use.
pub(super) fn held_mb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kb = |field: &str| -> Option<u64> {
        status
            .lines()
            .find_map(|line| line.strip_prefix(field))?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    Some((kb("RssAnon:")? + kb("RssShmem:")?) / 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_allocated_and_touched_is_counted() {
        let block = vec![1_u8; 256 << 20];
        let held = super::held_mb(std::process::id()).unwrap();
        assert!(held >= 256, "{held} MB with {} bytes allocated", block.len());
    }
}
