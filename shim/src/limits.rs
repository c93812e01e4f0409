//! The limits of this process (getrlimit(2)), where they leave too little for a stack.

use crate::sys;

/// The least address space that a stack and its program get along with.
pub(crate) const ADDRESS_SPACE_MIN: u64 = 1 << 30;

/// Descriptors that a stack opens, some of which it closes again.
pub(crate) const DESCRIPTORS_MIN: usize = 48;

/// The limit of the address space in KiB, if it leaves no room for a stack.
pub(crate) fn scarce_address_space() -> Option<u64> {
    let limit = soft_limit(libc::RLIMIT_AS)?;
    (limit < ADDRESS_SPACE_MIN).then_some(limit / 1024)
}

/// The limit of open files, if so few are left that a start would fail in the middle.
pub(crate) fn scarce_descriptors() -> Option<u64> {
    let mut opened = [-1; DESCRIPTORS_MIN];
    let first = sys::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0).unwrap_or(-1);
    let all = opened.iter_mut().all(|slot| {
        *slot = sys::fcntl(first, libc::F_DUPFD_CLOEXEC, 0).unwrap_or(-1);
        *slot >= 0
    });
    for fd in opened.into_iter().chain([first]).filter(|fd| *fd >= 0) {
        let _ = sys::close(fd);
    }
    (!all).then(|| soft_limit(libc::RLIMIT_NOFILE).unwrap_or(0))
}

/// What getrlimit(2) says; `None`: there is no such limit.
pub(crate) fn soft_limit(resource: libc::__rlimit_resource_t) -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place for the result.
    let known = unsafe { libc::getrlimit(resource, &raw mut limit) } == 0;
    known.then_some(limit.rlim_cur)
}
