//! Waiting for descriptors, and descriptors that are waited for.

use core::ptr;
use core::time::Duration;

use libc::{pollfd, timespec};
use rustix::event::{self, EventfdFlags};

use crate::errno::Errno;
use crate::fd::OwnedFd;
use crate::signal_mask::SignalMask;
use crate::time::kernel_time;
use crate::trap::syscall;

/// ppoll(2). No timeout: for ever. A mask is the thread's for the length of the sleep; rustix's poll has none.
#[inline]
pub fn ppoll(
    fds: &mut [pollfd],
    timeout: Option<Duration>,
    mask: Option<SignalMask>,
) -> Result<usize, Errno> {
    // The kernel writes the time left into it.
    let mut timeout = timeout.map(kernel_time);
    let timeout: *mut timespec = timeout.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    let mask: *const SignalMask = mask.as_ref().map_or(ptr::null(), ptr::from_ref);
    let args = [
        fds.as_mut_ptr().expose_provenance(),
        fds.len(),
        timeout.expose_provenance(),
        mask.expose_provenance(),
        size_of::<SignalMask>(),
        0,
    ];
    // SAFETY: the slice, the timeout and the mask live until the call returns.
    unsafe { syscall(libc::SYS_ppoll, args) }
}

/// poll(2) without waiting. An error leaves every `revents` as it was.
pub fn poll_now(fds: &mut [pollfd]) {
    let args = [fds.as_mut_ptr().expose_provenance(), fds.len(), 0, 0, 0, 0];
    // SAFETY: the slice is valid for its length.
    let _ = unsafe { syscall(libc::SYS_poll, args) };
}

/// An eventfd that counts from 0, close-on-exec, never blocking; eventfd2(2).
pub fn eventfd() -> Result<OwnedFd, Errno> {
    let made = event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    Ok(OwnedFd::new(made))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::open;

    #[test]
    fn a_poll_without_anything_to_see_ends_with_its_timeout() {
        let short = Duration::from_millis(1);
        assert_eq!(ppoll(&mut [], Some(short), Some(0)), Ok(0));
        let null = open(c"/dev/null", libc::O_RDWR | libc::O_CLOEXEC, 0).expect("it is there");
        let mut fds = [pollfd {
            fd: null.as_raw(),
            events: libc::POLLIN,
            revents: 0,
        }];
        assert_eq!(ppoll(&mut fds, None, None), Ok(1));
        assert_eq!(fds[0].revents, libc::POLLIN);
    }
}
