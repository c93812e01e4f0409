//! Options that were set before a socket was routed. If it goes to the kernel, the kernel's socket gets them too.

use core::ffi::c_int;

use family::FileId;

use crate::lock::{Found, ProcessLock};

/// Longest option value that is kept; every option that the stack takes is shorter.
pub(crate) const VALUE_MAX: usize = 16;
/// Options kept of one socket.
const OPTIONS_MAX: usize = 64;

struct Set {
    level: c_int,
    name: c_int,
    value: [u8; VALUE_MAX],
    len: usize,
}

/// The options of one socket, in the order in which they were set.
struct Log {
    file: FileId,
    sets: Vec<Set>,
}

static LOGS: ProcessLock<Vec<Log>> = ProcessLock::new(Vec::new());

fn with<R>(work: impl FnOnce(&mut Vec<Log>) -> R) -> R {
    LOGS.with(|logs, found| {
        if found == Found::Broken {
            // A thread of the parent was changing it: what it holds is not to be touched.
            core::mem::forget(core::mem::take(logs));
        }
        work(logs)
    })
}

/// Remembers an option that the stack has taken.
pub(crate) fn remember(file: FileId, level: c_int, name: c_int, value: &[u8]) {
    let mut kept = [0; VALUE_MAX];
    let len = value.len().min(VALUE_MAX);
    kept[..len].copy_from_slice(&value[..len]);
    let set = Set {
        level,
        name,
        value: kept,
        len,
    };
    with(|logs| {
        if !logs.iter().any(|log| log.file == file) {
            logs.push(Log {
                file,
                sets: Vec::new(),
            });
        }
        if let Some(log) = logs.iter_mut().find(|log| log.file == file)
            && log.sets.len() < OPTIONS_MAX
        {
            log.sets.push(set);
        }
    });
}

/// Sets the remembered options on a kernel socket, and forgets them. If the kernel refuses one it is left out: the program
/// cannot be told any more.
pub(crate) fn replay(file: FileId, fd: c_int) {
    for set in take(file).into_iter().flat_map(|log| log.sets) {
        let _ = sys::setsockopt(fd, set.level, set.name, &set.value[..set.len]);
    }
}

/// Forgets the options of a socket that has gone to the stack or was closed.
pub(crate) fn forget(file: FileId) {
    drop(take(file));
}

fn take(file: FileId) -> Option<Log> {
    with(|logs| {
        let at = logs.iter().position(|log| log.file == file)?;
        Some(logs.swap_remove(at))
    })
}
