//! Measures a process's memory, to enforce `MemorySize`.

/// Returns the memory in MB that a process uses and that the kernel can't reclaim: anonymous and
/// shared pages. Mapped files, such as the binary, don't count, because the cgroup that Lambda uses
/// would reclaim them first.
///
/// Returns `None` where there is no `/proc` (macOS), and for a process that has just ended; then
/// the limit is not enforced. A limit on the address space (`RLIMIT_AS`) would not do: allocators
/// and stacks reserve far more than they use.
pub(super) fn used_mb(pid: u32) -> Option<u64> {
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
    fn allocated_memory_in_use_is_counted() {
        let block = vec![1_u8; 256 << 20];
        let used = super::used_mb(std::process::id()).unwrap();
        assert!(used >= 256, "{used} MB with {} bytes allocated", block.len());
    }
}
