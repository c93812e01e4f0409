//! Descriptors: close, dup, fcntl, ioctl and their relatives.

use core::ffi::{c_int, c_ulong};

use crate::answer::{answer, done};
use crate::descriptors::{self, is_kernel, is_plain};
use crate::epoll::numbers;
use crate::errno::fail;
use crate::guard::guarded;
use crate::hook::{hook, real, socket_hook};
use crate::{closing, membership, stdio};

hook! {
    /// close(2)
    fn close(fd: c_int) -> c_int {
        if is_plain(fd) && !family::is_private(fd) {
            return real!(close(fd));
        }
        close_ours(fd)
    }
}

#[inline(never)]
fn close_ours(fd: c_int) -> c_int {
    if family::is_private(fd) {
        return fail(libc::EBADF);
    }
    if !membership::may_enter() {
        return real!(close(fd));
    }
    if is_kernel(fd) {
        descriptors::set_note(fd, None);
        return real!(close(fd));
    }
    guarded(move || done(closing::close(fd)))
}

hook! {
    /// close_range(2). The library's private descriptors stay open.
    fn close_range(first: u32, last: u32, flags: c_int) -> c_int {
        if flags & libc::CLOSE_RANGE_CLOEXEC as c_int != 0 || !closing::concerns_us() {
            return real!(close_range(first, last, flags));
        }
        guarded(move || done(closing::close_range(first, last, flags)))
    }
}

hook! {
    /// closefrom(3). The library's private descriptors stay open.
    fn closefrom(first: c_int) {
        if !closing::concerns_us() {
            return real!(closefrom(first));
        }
        guarded(move || {
            // It cannot report an error.
            let _ = closing::close_range(first.max(0).unsigned_abs(), u32::MAX, 0);
        })
    }
}

hook! {
    /// dup(2)
    fn dup(fd: c_int) -> c_int {
        if is_plain(fd) || !membership::may_enter() {
            return numbers::note_copy(fd, real!(dup(fd)));
        }
        dup_ours(fd)
    }
}

#[inline(never)]
fn dup_ours(fd: c_int) -> c_int {
    followed(guarded(|| {
        crate::dup::dup(fd, 0, false).unwrap_or_else(fail)
    }))
}

hook! {
    /// dup2(2)
    fn dup2(fd: c_int, to: c_int) -> c_int {
        // With equal numbers it only checks that the descriptor is open.
        if fd == to || is_free_of_us(fd, to) {
            return numbers::note_copy(fd, real!(dup2(fd, to)));
        }
        dup_onto(fd, to, 0)
    }
}

hook! {
    /// dup3(2)
    fn dup3(fd: c_int, to: c_int, flags: c_int) -> c_int {
        if fd == to || is_free_of_us(fd, to) {
            return numbers::note_copy(fd, real!(dup3(fd, to, flags)));
        }
        dup_onto(fd, to, flags)
    }
}

#[inline(never)]
fn dup_onto(fd: c_int, to: c_int, flags: c_int) -> c_int {
    followed(guarded(|| {
        crate::dup::dup3(fd, to, flags).unwrap_or_else(fail)
    }))
}

/// A new descriptor; the stream of its name goes with it.
fn followed(fd: c_int) -> c_int {
    stdio::follow(fd);
    fd
}

fn is_free_of_us(fd: c_int, to: c_int) -> bool {
    is_plain(fd) && is_plain(to) && !family::is_private(to) || !membership::may_enter()
}

hook! {
    /// fcntl(2). The third argument is read as one word whatever its type; the calling convention allows that.
    fn fcntl(fd: c_int, command: c_int, argument: usize) -> c_int {
        if is_plain(fd) && !makes_copy(command) {
            return real!(fcntl(fd, command, argument));
        }
        fcntl_ours(fd, command, argument)
    }
}

hook! {
    /// fcntl(2) under the name that programs with 64-bit offsets call.
    fn fcntl64(fd: c_int, command: c_int, argument: usize) -> c_int {
        if is_plain(fd) && !makes_copy(command) {
            return real!(fcntl64(fd, command, argument));
        }
        fcntl_ours(fd, command, argument)
    }
}

fn makes_copy(command: c_int) -> bool {
    matches!(command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC)
}

#[inline(never)]
fn fcntl_ours(fd: c_int, command: c_int, argument: usize) -> c_int {
    guarded(|| crate::fcntl::fcntl(fd, command, argument).map(answer)).unwrap_or_else(|| {
        let result = real!(fcntl(fd, command, argument));
        // Of the descriptors of epoll sets all copies are noted.
        if makes_copy(command) {
            numbers::note_copy(fd, result);
        }
        result
    })
}

socket_hook! {
    /// ioctl(2). As with fcntl the third argument is one word.
    fn ioctl(fd: c_int, request: c_ulong, argument: usize) -> c_int = |file| {
        // SAFETY: the program gives what the request takes.
        unsafe { crate::ioctl::ioctl(file, request, argument) }.map(answer::<c_int>)
    }
}
