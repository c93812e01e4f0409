//! Many messages in one call.

use libc::{iovec, mmsghdr, msghdr};

use crate::errno::Errno;
use crate::fd::RawFd;
use crate::trap::{int, syscall};

/// A message of the bytes that `vectors` name, which must not move until it is sent.
#[must_use]
pub fn message(vectors: &mut [iovec]) -> mmsghdr {
    mmsghdr {
        msg_hdr: msghdr {
            msg_name: core::ptr::null_mut(),
            msg_namelen: 0,
            msg_iov: vectors.as_mut_ptr(),
            msg_iovlen: vectors.len(),
            msg_control: core::ptr::null_mut(),
            msg_controllen: 0,
            msg_flags: 0,
        },
        msg_len: 0,
    }
}

/// sendmmsg(2), which never blocks and never raises SIGPIPE. Answers how many messages were sent; the error is that of the first.
///
/// # Safety
/// The vectors of the messages are where they were, and name mapped memory of this process, which the kernel reads.
#[inline]
pub unsafe fn send_messages(fd: RawFd, messages: &mut [mmsghdr]) -> Result<usize, Errno> {
    let args = [
        int(fd),
        messages.as_mut_ptr().expose_provenance(),
        messages.len(),
        int(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL),
        0,
        0,
    ];
    // SAFETY: the caller vouches for the memory behind the vectors.
    unsafe { syscall(libc::SYS_sendmmsg, args) }
}
