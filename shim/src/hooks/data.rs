//! Sending and receiving.

use core::ffi::{c_int, c_void};

use family::FileId;
use libc::{iovec, msghdr, sockaddr, socklen_t};
use sys::Errno;

use crate::answer::{answer, unless_kernel};
use crate::descriptors::{is_kernel, is_plain, owned};
use crate::errno::fail;
use crate::guard::guarded;
use crate::hook::{hook, real, socket_hook};
use stack::DatagramInfo;

use crate::messages::{self, Outgoing};
use crate::user::{self, UserBytes};
use crate::{receiving, rights, route, sending};

socket_hook! {
    /// read(2). Unlike libc's it is no cancellation point for a socket of ours.
    fn read(fd: c_int, buf: *mut c_void, len: usize) -> isize = |file| {
        read_into(file, UserBytes::one(buf.cast(), len))
    }
}

socket_hook! {
    /// read(2) of fortified programs, with the size of the buffer. If `len` is larger the real function ends the program.
    fn __read_chk(fd: c_int, buf: *mut c_void, len: usize, size: usize) -> isize = |file| {
        (len <= size).then(|| read_into(file, UserBytes::one(buf.cast(), len)))
    }
}

socket_hook! {
    /// readv(2)
    fn readv(fd: c_int, iov: *const iovec, count: c_int) -> isize = |file| {
        // SAFETY: the program says that `count` structures are there.
        read_into(file, unsafe { UserBytes::vector(iov, count) })
    }
}

socket_hook! {
    /// recv(2)
    fn recv(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> isize = |file| {
        take(file, UserBytes::one(buf.cast(), len), flags)
    }
}

socket_hook! {
    /// recv(2) of fortified programs.
    fn __recv_chk(
        fd: c_int,
        buf: *mut c_void,
        len: usize,
        size: usize,
        flags: c_int,
    ) -> isize = |file| {
        (len <= size).then(|| take(file, UserBytes::one(buf.cast(), len), flags))
    }
}

socket_hook! {
    /// recvfrom(2)
    fn recvfrom(
        fd: c_int,
        buf: *mut c_void,
        len: usize,
        flags: c_int,
        addr: *mut sockaddr,
        addr_len: *mut socklen_t,
    ) -> isize = |file| {
        let from = (addr, addr_len);
        let bytes = UserBytes::one(buf.cast(), len);
        // SAFETY: the program gives room for an address, or null.
        answer::<isize>(unsafe { messages::receive_from(file, bytes, flags, from) })
    }
}

socket_hook! {
    /// recvfrom(2) of fortified programs.
    fn __recvfrom_chk(
        fd: c_int,
        buf: *mut c_void,
        len: usize,
        size: usize,
        flags: c_int,
        addr: *mut sockaddr,
        addr_len: *mut socklen_t,
    ) -> isize = |file| {
        let from = (addr, addr_len);
        let bytes = UserBytes::one(buf.cast(), len);
        // SAFETY: the program gives room for an address, or null.
        (len <= size).then(|| answer::<isize>(unsafe { messages::receive_from(file, bytes, flags, from) }))
    }
}

hook! {
    /// recvmsg(2). A message of the kernel's may bring sockets of ours.
    fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> isize {
        // SAFETY: the program gives a message.
        if is_kernel(fd) && !unsafe { rights::has_control(message) } {
            return real!(recvmsg(fd, message, flags));
        }
        recvmsg_with_control(fd, message, flags)
    }
}

#[inline(never)]
fn recvmsg_with_control(fd: c_int, message: *mut msghdr, flags: c_int) -> isize {
    let answer: Option<isize> = owned(fd).and_then(|file| {
        guarded(|| {
            // SAFETY: the program gives a message.
            Some(answer(unsafe { messages::receive(file, message, flags) }))
        })
    });
    answer.unwrap_or_else(|| {
        let got = real!(recvmsg(fd, message, flags));
        if got >= 0 {
            // SAFETY: the kernel has filled the program's message.
            unsafe { rights::take(message) };
        }
        got
    })
}

hook! {
    /// recvmmsg(2)
    fn recvmmsg(
        fd: c_int,
        messages: *mut libc::mmsghdr,
        count: u32,
        flags: c_int,
        timeout: *mut libc::timespec,
    ) -> c_int {
        let answer: Option<c_int> = owned(fd).and_then(|file| {
            guarded(|| {
                // SAFETY: the program says that `count` messages are there.
                Some(answer(unsafe { messages::receive_many(file, messages, count, flags, timeout) }))
            })
        });
        answer.unwrap_or_else(|| {
            let got = real!(recvmmsg(fd, messages, count, flags, timeout));
            for at in 0..usize::try_from(got).unwrap_or(0) {
                let (message, _) = messages::parts(messages.wrapping_add(at));
                // SAFETY: one of the program's messages, which the kernel has filled.
                unsafe { rights::take(message) };
            }
            got
        })
    }
}

socket_hook! {
    /// write(2)
    fn write(fd: c_int, buf: *const c_void, len: usize) -> isize = |file| {
        give(file, UserBytes::one(buf.cast(), len), 0)
    }
}

socket_hook! {
    /// writev(2)
    fn writev(fd: c_int, iov: *const iovec, count: c_int) -> isize = |file| {
        // SAFETY: the program says that `count` structures are there.
        give(file, unsafe { UserBytes::vector(iov, count) }, 0)
    }
}

socket_hook! {
    /// send(2)
    fn send(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> isize = |file| {
        give(file, UserBytes::one(buf.cast(), len), flags)
    }
}

socket_hook! {
    /// sendto(2). The first datagram routes its socket.
    fn sendto(
        fd: c_int,
        buf: *const c_void,
        len: usize,
        flags: c_int,
        addr: *const sockaddr,
        addr_len: socklen_t,
    ) -> isize = |file| {
        let datagram = Outgoing { bytes: UserBytes::one(buf.cast(), len), addr, addr_len, flags, info: DatagramInfo::default() };
        // SAFETY: the program says that `addr_len` bytes are there.
        unless_kernel::<isize, _>(unsafe { messages::send_to(fd, file, datagram) })
    }, unless refused = {
        // SAFETY: the program says that `addr_len` bytes are there.
        unsafe { route::admit(fd, addr, addr_len) }
    }
}

hook! {
    /// sendmsg(2). In place of a socket of ours another process gets a ticket.
    fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> isize {
        // SAFETY: the program gives a message.
        if is_plain(fd) && !unsafe { rights::has_control(message) } {
            return real!(sendmsg(fd, message, flags));
        }
        sendmsg_ours(fd, message, flags)
    }
}

#[inline(never)]
fn sendmsg_ours(fd: c_int, message: *const msghdr, flags: c_int) -> isize {
    let answer: Option<isize> = match owned(fd) {
        Some(file) => guarded(|| {
            // SAFETY: the program gives a message.
            unless_kernel(unsafe { messages::send(fd, file, message, flags) })
        }),
        None if is_plain(fd) => None,
        None => guarded(|| {
            // SAFETY: the program gives a message.
            unsafe { route::admit_message(fd, message) }.err().map(fail)
        }),
    };
    answer.unwrap_or_else(|| sendmsg_to_kernel(fd, message, flags))
}

fn sendmsg_to_kernel(fd: c_int, message: *const msghdr, flags: c_int) -> isize {
    let real = |message| real!(sendmsg(fd, message, flags));
    // SAFETY: the program gives a message.
    unsafe { rights::give(message, real) }
}

hook! {
    /// sendmmsg(2)
    fn sendmmsg(fd: c_int, messages: *mut libc::mmsghdr, count: u32, flags: c_int) -> c_int {
        // SAFETY: the program says that `count` messages are there.
        if is_plain(fd) && !unsafe { rights::any_passes_ours(messages, count) } {
            return real!(sendmmsg(fd, messages, count, flags));
        }
        sendmmsg_ours(fd, messages, count, flags)
    }
}

#[inline(never)]
fn sendmmsg_ours(fd: c_int, messages: *mut libc::mmsghdr, count: u32, flags: c_int) -> c_int {
    let mut admitted = count;
    let ours = owned(fd).and_then(|file| {
        guarded(move || {
            // SAFETY: the program says that `count` messages are there.
            unless_kernel(unsafe { messages::send_many(fd, file, messages, count, flags) })
        })
    });
    // The first message may just have sent the socket to the kernel; the others have peers of their own.
    let answer: Option<c_int> = ours.or_else(|| {
        // SAFETY: the program says that `count` messages are there.
        guarded(
            || match unsafe { route::admit_messages(fd, messages, count) } {
                Ok(some) => {
                    admitted = some;
                    None
                }
                Err(errno) => Some(fail(errno)),
            },
        )
    });
    answer.unwrap_or_else(|| {
        // SAFETY: the program says that `count` messages are there.
        if unsafe { rights::any_passes_ours(messages, admitted) } {
            send_one_by_one(fd, messages, admitted, flags)
        } else {
            real!(sendmmsg(fd, messages, admitted, flags))
        }
    })
}

/// Sends messages to the kernel until one fails. If it is the first, its error is the answer.
fn send_one_by_one(fd: c_int, messages: *mut libc::mmsghdr, count: u32, flags: c_int) -> c_int {
    let mut done = 0;
    for at in 0..count.min(messages::MESSAGES_MAX) {
        let (message, len) = messages::parts(messages.wrapping_add(at as usize));
        let sent = sendmsg_to_kernel(fd, message, flags);
        let Ok(sent) = u32::try_from(sent) else { break };
        // SAFETY: one of the program's messages.
        let _ = unsafe { user::put(len, sent) };
        done += 1;
    }
    if done > 0 { done } else { -1 }
}

/// read(2) and its relatives. Unlike recv(2) they do not look at the socket if the buffer is empty.
fn read_into(file: FileId, bytes: Result<UserBytes, Errno>) -> isize {
    if bytes.as_ref().is_ok_and(|bytes| bytes.remaining() == 0) {
        return 0;
    }
    take(file, bytes, 0)
}

/// A receiving call without an address.
fn take(file: FileId, bytes: Result<UserBytes, Errno>, flags: c_int) -> isize {
    answer(
        bytes
            .and_then(|bytes| receiving::receive(file, bytes, flags))
            .map(|got| got.len),
    )
}

/// A sending call without an address.
fn give(file: FileId, bytes: Result<UserBytes, Errno>, flags: c_int) -> isize {
    answer(bytes.and_then(|bytes| sending::send(file, bytes, flags, None, DatagramInfo::default())))
}

socket_hook! {
    /// sendfile(2)
    fn sendfile(out: c_int, input: c_int, offset: *mut i64, count: usize) -> isize = |file| {
        // SAFETY: the program gives an offset, or null.
        answer::<isize>(unsafe { crate::sendfile::sendfile(file, input, offset, count) })
    }
}

socket_hook! {
    /// sendfile(2) under the name that programs with 64-bit offsets call.
    fn sendfile64(out: c_int, input: c_int, offset: *mut i64, count: usize) -> isize = |file| {
        // SAFETY: the program gives an offset, or null.
        answer::<isize>(unsafe { crate::sendfile::sendfile(file, input, offset, count) })
    }
}
