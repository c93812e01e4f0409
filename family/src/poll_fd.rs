//! What ppoll(2) is asked to look at.

use core::time::Duration;
use std::ffi::c_short;

use sys::RawFd;

/// An entry with a negative number is skipped.
const NOBODY: RawFd = -1;

/// An entry for this descriptor and these events. `None`: an entry that ppoll(2) skips.
pub(crate) fn poll_fd(fd: Option<RawFd>, events: c_short) -> libc::pollfd {
    libc::pollfd {
        fd: fd.unwrap_or(NOBODY),
        events,
        revents: 0,
    }
}

/// Whether one of these has something to tell at this moment.
pub(crate) fn is_any_ready(fds: &mut [libc::pollfd]) -> bool {
    sys::ppoll(fds, Some(Duration::ZERO), None).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_looked_at_where_there_is_no_descriptor() {
        let waker = sys::eventfd().expect("there are descriptors");
        let entry = |fd| poll_fd(fd, libc::POLLIN);
        let mut fds = [entry(None), entry(Some(waker.as_raw()))];
        assert!(!is_any_ready(&mut fds), "nothing has been written yet");
        sys::write(waker.as_raw(), &1u64.to_ne_bytes()).expect("there is room");
        assert!(is_any_ready(&mut fds));
        assert_eq!(fds.map(|fd| fd.revents), [0, libc::POLLIN]);
        // poll(2) says what is closed, too, so an open number would not do.
        assert!(fds[0].fd < 0 && !is_any_ready(&mut fds[..1]));
    }
}
