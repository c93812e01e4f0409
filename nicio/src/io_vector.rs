//! One stretch of memory for a vectored system call.

use libc::{c_void, iovec};

pub(crate) fn io_vector(base: *mut u8, len: usize) -> iovec {
    iovec {
        iov_base: base.cast::<c_void>(),
        iov_len: len,
    }
}
