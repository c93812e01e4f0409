//! The program's memory, which it lends us for one call.
//!
//! It is only copied, and never under the stack's lock: a page fault or a bad pointer then stops the caller alone. Null is
//! answered with `EFAULT`. Other bad addresses fault, as in any library.

use core::ffi::c_int;

use libc::{iovec, msghdr};
use region::Piece;
use sys::Errno;

/// Most that one call moves, as in Linux (`MAX_RW_COUNT`).
const CALL_BYTES_MAX: usize = 0x7fff_f000;
/// Most buffers of one call (`UIO_MAXIOV`).
const BUFFERS_MAX: usize = 1024;

/// The buffers of one call, walked from front to back.
pub(crate) struct UserBytes {
    /// Buffers behind the current one.
    rest: *const iovec,
    rest_count: usize,
    /// What is left of the current buffer.
    at: *mut u8,
    len: usize,
    /// What is left altogether.
    remaining: usize,
}

impl UserBytes {
    /// One buffer.
    pub(crate) fn one(buffer: *const u8, len: usize) -> Result<Self, Errno> {
        if buffer.is_null() && len > 0 {
            return Err(Errno(libc::EFAULT));
        }
        let len = len.min(CALL_BYTES_MAX);
        Ok(Self {
            rest: core::ptr::null(),
            rest_count: 0,
            at: buffer.cast_mut(),
            len,
            remaining: len,
        })
    }

    /// The buffers of readv(2) and writev(2).
    ///
    /// # Safety
    /// `buffers` must be null or lead to `count` structures; they stay as they are during the call.
    pub(crate) unsafe fn vector(buffers: *const iovec, count: c_int) -> Result<Self, Errno> {
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= BUFFERS_MAX);
        let count = count.ok_or(Errno(libc::EINVAL))?;
        // SAFETY: whoever calls `vector` promises `count` structures.
        unsafe { Self::list(buffers, count) }
    }

    /// The buffers of sendmsg(2) and recvmsg(2).
    ///
    /// # Safety
    /// The message's buffer list must be null or as long as it says.
    pub(crate) unsafe fn message(message: &msghdr) -> Result<Self, Errno> {
        if message.msg_iovlen > BUFFERS_MAX {
            return Err(Errno(libc::EMSGSIZE));
        }
        // SAFETY: whoever calls `message` promises that the list is as long as the message says.
        unsafe { Self::list(message.msg_iov, message.msg_iovlen) }
    }

    /// # Safety
    /// As [`Self::vector`].
    unsafe fn list(buffers: *const iovec, count: usize) -> Result<Self, Errno> {
        if buffers.is_null() && count > 0 {
            return Err(Errno(libc::EFAULT));
        }
        let mut total = 0usize;
        for at in 0..count {
            // SAFETY: whoever calls `list` promises `count` structures, and `at` is below that.
            let buffer = unsafe { *buffers.wrapping_add(at) };
            if isize::try_from(buffer.iov_len).is_err() {
                return Err(Errno(libc::EINVAL));
            }
            if buffer.iov_base.is_null() && buffer.iov_len > 0 {
                return Err(Errno(libc::EFAULT));
            }
            // A length below isize::MAX plus a capped total: no overflow.
            total = (total + buffer.iov_len).min(CALL_BYTES_MAX);
        }
        Ok(Self {
            rest: buffers,
            rest_count: count,
            at: core::ptr::null_mut(),
            len: 0,
            remaining: total,
        })
    }

    /// Bytes that have not been walked yet.
    pub(crate) fn remaining(&self) -> usize {
        self.remaining
    }

    /// Copies the program's next bytes into `pieces`, as many as both have; returns how many.
    pub(crate) fn copy_into(&mut self, pieces: &[Piece]) -> usize {
        self.walk(pieces, usize::MAX, |piece, at, user, len| {
            // SAFETY: `walk` stays inside the piece; the program lends `len` readable bytes.
            unsafe { piece.copy_from(at, user, len) };
        })
    }

    /// Copies up to `limit` bytes of `pieces` to the program; returns how many.
    pub(crate) fn copy_from(&mut self, pieces: &[Piece], limit: usize) -> usize {
        self.walk(pieces, limit, |piece, at, user, len| {
            // SAFETY: `walk` stays inside the piece; the program lends `len` writable bytes.
            unsafe { piece.copy_to(at, user, len) };
        })
    }

    /// Passes over the program's next bytes.
    pub(crate) fn skip(&mut self, mut count: usize) {
        count = count.min(self.remaining);
        while count > 0 && self.next_buffer() {
            count -= self.advance(count);
        }
    }

    fn walk(
        &mut self,
        pieces: &[Piece],
        limit: usize,
        copy: impl Fn(&Piece, usize, *mut u8, usize),
    ) -> usize {
        let mut done = 0;
        for piece in pieces {
            let mut at = 0;
            while at < piece.len() && done < limit && self.next_buffer() {
                let user = self.at;
                let len = self.advance((piece.len() - at).min(limit - done));
                copy(piece, at, user, len);
                at += len;
                done += len;
            }
        }
        done
    }

    /// Makes sure that the current buffer has something left; `false` at the end.
    fn next_buffer(&mut self) -> bool {
        while self.len == 0 && self.remaining > 0 && self.rest_count > 0 {
            // SAFETY: `rest` has `rest_count` structures left.
            let buffer = unsafe { *self.rest };
            self.at = buffer.iov_base.cast();
            self.len = buffer.iov_len.min(self.remaining);
            self.rest_count -= 1;
            // SAFETY: at most one past the end of the list.
            self.rest = unsafe { self.rest.add(1) };
        }
        self.len > 0
    }

    fn advance(&mut self, wanted: usize) -> usize {
        let len = wanted.min(self.len);
        // SAFETY: at most one past the end of the current buffer.
        self.at = unsafe { self.at.add(len) };
        self.len -= len;
        self.remaining -= len;
        len
    }
}

/// Copies a plain value from the program. `EFAULT` for null.
///
/// # Safety
/// `from` must be null or readable for a `T`, of any alignment. Every bit pattern must be a valid `T`.
pub(crate) unsafe fn get<T: Copy>(from: *const T) -> Result<T, Errno> {
    if from.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: whoever calls `get` promises that a `T` can be read there.
    Ok(unsafe { from.read_unaligned() })
}

/// Copies a plain value to the program. `EFAULT` for null.
///
/// # Safety
/// `to` must be null or writable for a `T`, of any alignment.
pub(crate) unsafe fn put<T: Copy>(to: *mut T, value: T) -> Result<(), Errno> {
    if to.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: whoever calls `put` promises that a `T` can be written there.
    unsafe { to.write_unaligned(value) };
    Ok(())
}

#[cfg(test)]
mod tests;
