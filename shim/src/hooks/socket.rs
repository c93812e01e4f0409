//! Making and connecting sockets.

use core::ffi::c_int;

use libc::{sockaddr, socklen_t};

use crate::answer::{done, unless_kernel};
use crate::errno::fail;
use crate::guard::guarded;
use crate::hook::{hook, real, socket_hook};
use crate::{membership, opening, route, start};

hook! {
    /// socket(2). The first internet socket starts the stack.
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
        let Some((family, sort)) = opening::supported(domain, kind, protocol) else {
            let fd = real!(socket(domain, kind, protocol));
            if fd < 0 || !opening::is_internet(domain) {
                return fd;
            }
            return guarded(|| opening::admit_other_protocol(fd, protocol).unwrap_or_else(fail));
        };
        if !membership::may_enter() {
            let admitted = opening::admit_no_member();
            return admitted.map_or_else(fail, |()| real!(socket(domain, kind, protocol)));
        }
        match guarded::<c_int>(|| c_int::from(start::start())) {
            HAS_STACK => guarded(|| opening::socket(family, sort, kind).unwrap_or_else(fail)),
            HAS_NONE => real!(socket(domain, kind, protocol)),
            // Nobody knows: there was no memory to run in, or a panic. errno is set.
            failed => failed,
        }
    }
}

/// What comes of [`start::start`] in a guarded call.
const HAS_STACK: c_int = 1;
const HAS_NONE: c_int = 0;

socket_hook! {
    /// bind(2). It routes the socket, unless the address is a wildcard.
    fn bind(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int = |file| {
        // SAFETY: the program says that `len` bytes are there.
        unless_kernel::<c_int, _>(unsafe { opening::bind(fd, file, addr, len) })
    }
}

socket_hook! {
    /// listen(2)
    fn listen(fd: c_int, backlog: c_int) -> c_int = |file| {
        unless_kernel::<c_int, _>(opening::listen(fd, file, backlog))
    }
}

socket_hook! {
    /// connect(2)
    fn connect(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int = |file| {
        // SAFETY: the program says that `len` bytes are there.
        unless_kernel::<c_int, _>(unsafe { opening::connect(fd, file, addr, len) })
    }, unless refused = {
        // SAFETY: the program says that `len` bytes are there.
        unsafe { route::admit(fd, addr, len) }
    }
}

socket_hook! {
    /// accept(2)
    fn accept(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int = |file| {
        // SAFETY: the program gives room for an address, or null.
        unsafe { opening::accept(file, addr, len, 0) }.unwrap_or_else(fail)
    }
}

socket_hook! {
    /// accept4(2)
    fn accept4(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int = |file| {
        // SAFETY: the program gives room for an address, or null.
        unsafe { opening::accept(file, addr, len, flags) }.unwrap_or_else(fail)
    }
}

socket_hook! {
    /// shutdown(2)
    fn shutdown(fd: c_int, how: c_int) -> c_int = |file| {
        done(opening::shutdown(file, how))
    }
}
