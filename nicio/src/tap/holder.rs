//! Who has a tap open.

use core::fmt::{self, Write};
use core::mem::MaybeUninit;

use arrayvec::ArrayString;

use super::proc_files::{as_c_str, path, read, read_bytes};
use crate::InterfaceName;

/// A process that has a device open. Displays as `curl (pid 123)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name, as ps(1) shows it; bytes that are no printable characters are escaped.
    pub name: ArrayString<NAME_MAX>,
    is_keeper: bool,
}

impl Holder {
    fn new(pid: u32) -> Self {
        Self {
            pid,
            name: name_of(pid).unwrap_or_default(),
            is_keeper: is_keeper(pid),
        }
    }

    /// Whether it is no program but the keeper of ended ones.
    #[must_use]
    pub fn is_keeper(&self) -> bool {
        self.is_keeper
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// Room for `TASK_COMM_LEN` bytes that are all escaped.
const NAME_MAX: usize = 64;
/// The program that goes on with the connections of programs that have ended.
const KEEPER: &[u8] = b"nstk-keeper";

/// The process that has the tap open, as far as this user may see: a program if there is one, or else a keeper.
pub(crate) fn find(name: InterfaceName) -> Option<Holder> {
    let mut found: Option<Holder> = None;
    for_each(name, |holder| {
        if found.is_none_or(|found| found.is_keeper()) {
            found = Some(holder);
        }
        found.is_some_and(|found| !found.is_keeper())
    });
    found
}

/// Whether a process runs the keeper's program, as far as this user may see. Its name says nothing: any program may give
/// itself that one, and a script has the name of its file.
#[must_use]
pub fn is_keeper(pid: u32) -> bool {
    let mut target = [const { MaybeUninit::uninit() }; libc::PATH_MAX as usize];
    let Some(path) = path(format_args!("/proc/{pid}/exe")) else {
        return false;
    };
    let Ok(target) = sys::link_target(as_c_str(&path), &mut target) else {
        return false;
    };
    // So it goes on if the file is replaced by another version's.
    let file = target.strip_suffix(b" (deleted)").unwrap_or(target);
    file.rsplit(|byte| *byte == b'/').next() == Some(KEEPER)
}

/// Whether a keeper has the tap open, as far as this user may see.
pub(crate) fn has_keeper(name: InterfaceName) -> bool {
    let mut has_keeper = false;
    for_each(name, |holder| {
        has_keeper = holder.is_keeper();
        has_keeper
    });
    has_keeper
}

/// Shows `each` the processes that have the tap open, until it answers `true`.
fn for_each(name: InterfaceName, mut each: impl FnMut(Holder) -> bool) {
    let mut buffer = names_buffer();
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    let Ok(proc) = sys::open(c"/proc", flags, 0) else {
        return;
    };
    sys::for_each_name(proc.as_raw(), &mut buffer, |entry| {
        let pid = entry.to_str().ok().and_then(|entry| entry.parse().ok());
        let holder = pid.filter(|pid| holds(*pid, name)).map(Holder::new);
        let is_enough = holder.is_some_and(&mut each);
        !is_enough
    });
}

/// Whether one of the process's descriptors is of this tap (`iff:` in /proc/PID/fdinfo, tun_chr_show_fdinfo in
/// drivers/net/tun.c).
fn holds(pid: u32, name: InterfaceName) -> bool {
    let Some(directory) = path(format_args!("/proc/{pid}/fdinfo")) else {
        return false;
    };
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    let Ok(directory) = sys::open(as_c_str(&directory), flags, 0) else {
        return false;
    };
    let mut buffer = names_buffer();
    let mut holds = false;
    sys::for_each_name(directory.as_raw(), &mut buffer, |fd| {
        holds = fd.to_str().is_ok_and(|fd| is_of(pid, fd, name));
        !holds
    });
    holds
}

fn is_of(pid: u32, fd: &str, name: InterfaceName) -> bool {
    let Some(path) = path(format_args!("/proc/{pid}/fdinfo/{fd}")) else {
        return false;
    };
    let mut text = [0; 512];
    read(&path, &mut text)
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("iff:")))
        .is_some_and(|found| found.trim() == name.as_str())
}

/// The process's name.
fn name_of(pid: u32) -> Option<ArrayString<NAME_MAX>> {
    let path = path(format_args!("/proc/{pid}/comm"))?;
    let mut text = [0; 32];
    let mut name = ArrayString::new();
    let bytes = read_bytes(&path, &mut text)?.trim_ascii_end();
    write!(name, "{}", bytes.escape_ascii()).ok()?;
    Some(name)
}

fn names_buffer() -> [MaybeUninit<u8>; 2048] {
    [const { MaybeUninit::uninit() }; 2048]
}
