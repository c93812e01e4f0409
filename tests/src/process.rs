//! Looking at processes through /proc, and waiting for things to become true.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything that should happen may take before a test gives it up: far more than it needs, since the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within 20 seconds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// User and system time that a process has used so far, without its children's; `None` when there is no such process.
#[must_use]
pub fn cpu_time(id: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // proc(5): the name is in parentheses and may hold anything; utime and stime are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    // USER_HZ is 100 on every Linux architecture that Rust's std supports.
    Some(Duration::from_millis((user + system) * 10))
}

/// The ids of all processes.
pub(crate) fn all() -> Vec<u32> {
    std::fs::read_dir("/proc")
        .expect("/proc is mounted")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// What names the network namespace of a process (an id, or `self`).
pub(crate) fn namespace(id: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{id}/ns/net")).ok()
}

/// The name of a process, at most 15 bytes long.
pub(crate) fn name(id: u32) -> Option<String> {
    Some(
        std::fs::read_to_string(format!("/proc/{id}/comm"))
            .ok()?
            .trim_end()
            .to_owned(),
    )
}

/// Sends a signal; a process that is gone already is none of our business.
pub fn kill(id: u32, signal: &str) {
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -s {signal} {id}")])
        .stderr(Stdio::null())
        .status();
}
