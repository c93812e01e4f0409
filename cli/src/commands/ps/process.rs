//! Processes, as /proc shows them.

use std::fmt;
use std::fs::{read, read_dir};
use std::io;

/// What a stack's memory is called in /proc/PID/maps (memfd_create(2)).
const REGION: &str = "/memfd:nstk-region";

/// A process. Displays as its name and number.
pub(super) struct Process {
    pub(super) pid: u32,
    name: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.pid)
    }
}

/// It is a process of another user.
pub(super) struct Hidden;

/// All processes, by number.
pub(super) fn all() -> io::Result<Vec<Process>> {
    let entries = read_dir("/proc")?.filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut pids: Vec<u32> = pids.collect();
    pids.sort_unstable();
    Ok(pids.into_iter().filter_map(Process::new).collect())
}

impl Process {
    /// `None`: it has ended meanwhile.
    fn new(pid: u32) -> Option<Self> {
        let name = read(format!("/proc/{pid}/comm")).ok()?;
        Some(Self {
            pid,
            name: text(name.trim_ascii_end()),
        })
    }

    pub(super) fn is_keeper(&self) -> bool {
        nicio::is_keeper(self.pid)
    }

    /// The number of the file in which the stack lies that this process has mapped; `None`: it has none, or has ended.
    ///
    /// # Errors
    /// This user may not look into the process.
    pub(super) fn stack(&self) -> Result<Option<u64>, Hidden> {
        let maps = match read(format!("/proc/{}/maps", self.pid)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(Hidden),
            maps => maps.unwrap_or_default(),
        };
        let maps = String::from_utf8_lossy(&maps);
        let stack = maps.lines().rev().find_map(|line| {
            // proc(5): address, permissions, offset, device, inode, path.
            let mut fields = line.split_whitespace().skip(4);
            let inode = fields.next()?;
            fields
                .next()?
                .starts_with(REGION)
                .then(|| inode.parse().ok())?
        });
        Ok(stack)
    }

    /// Device and addresses, which a keeper has among its arguments.
    pub(super) fn keeper_of(&self) -> Option<(String, String)> {
        let line = read(format!("/proc/{}/cmdline", self.pid)).ok()?;
        let mut arguments = line.split(|byte| *byte == 0).skip(1).map(text);
        Some((arguments.next()?, arguments.next()?))
    }

    /// The same by the variables that a program was started with.
    pub(super) fn settings(&self) -> Option<(String, String)> {
        let environment = read(format!("/proc/{}/environ", self.pid)).ok()?;
        let value = |name: &str| {
            let mut variables = environment.split(|byte| *byte == 0);
            variables
                .find_map(|variable| variable.strip_prefix(name.as_bytes()))
                .map(text)
        };
        let address = value("NSTK_ADDR=").unwrap_or_else(|| "?".to_owned());
        Some((value("NSTK_IF=")?, address))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().to_string()
}
