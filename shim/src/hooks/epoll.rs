//! epoll(7): the calls. Sets without stack sockets pass on.

use core::ffi::c_int;

use libc::{epoll_event, sigset_t, timespec};

use crate::descriptors::{self, Descriptor};
use crate::epoll;
use crate::hook::{answer, done, guarded, hook, real};
use crate::readiness::{self, Limits};

hook! {
    /// epoll_create(2).
    fn epoll_create(size: c_int) -> c_int {
        epoll::made(real!(epoll_create(size)))
    }
}

hook! {
    /// epoll_create1(2).
    fn epoll_create1(flags: c_int) -> c_int {
        epoll::made(real!(epoll_create1(flags)))
    }
}

hook! {
    /// epoll_ctl(2).
    fn epoll_ctl(epfd: c_int, operation: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
        if descriptors::is_kernel(fd) {
            let result = real!(epoll_ctl(epfd, operation, fd, event));
            if result == 0 && operation == libc::EPOLL_CTL_ADD && epoll::is_nested(fd) {
                // SAFETY: valid, since the kernel has accepted it.
                guarded(|| unsafe { epoll::begin_nested(epfd, fd, event) });
            }
            return result;
        }
        match descriptors::get(fd) {
            Descriptor::Kernel => real!(epoll_ctl(epfd, operation, fd, event)),
            // SAFETY: null or valid, as epoll_ctl(2) demands.
            Descriptor::Stack(file) => guarded(|| done(unsafe { epoll::control(epfd, operation, (fd, file), event) })),
            Descriptor::Epoll(inner) => {
                let result = real!(epoll_ctl(epfd, operation, fd, event));
                if result == 0 {
                    // SAFETY: as above; the kernel has accepted the event.
                    guarded(|| done(unsafe { epoll::nest(epfd, operation, (fd, inner), event) }))
                } else {
                    result
                }
            }
        }
    }
}

hook! {
    /// epoll_wait(2).
    fn epoll_wait(epfd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int) -> c_int {
        let Some(set) = epoll::set_of(epfd) else { return real!(epoll_wait(epfd, events, max, timeout)) };
        guarded(|| {
            let deadline = readiness::deadline_ms(timeout);
            answer(epoll::Waiting { epfd, set, at_once: timeout == 0 }.wait(events, max, Limits { deadline, mask: None }))
        })
    }
}

hook! {
    /// epoll_pwait(2).
    fn epoll_pwait(
        epfd: c_int,
        events: *mut epoll_event,
        max: c_int,
        timeout: c_int,
        mask: *const sigset_t,
    ) -> c_int {
        let Some(set) = epoll::set_of(epfd) else { return real!(epoll_pwait(epfd, events, max, timeout, mask)) };
        guarded(|| {
            // SAFETY: null or valid, as epoll_pwait(2) demands.
            let mask = unsafe { mask.as_ref() };
            let deadline = readiness::deadline_ms(timeout);
            answer(epoll::Waiting { epfd, set, at_once: timeout == 0 }.wait(events, max, Limits { deadline, mask }))
        })
    }
}

hook! {
    /// epoll_pwait2(2): epoll_pwait with nanoseconds.
    fn epoll_pwait2(
        epfd: c_int,
        events: *mut epoll_event,
        max: c_int,
        timeout: *const timespec,
        mask: *const sigset_t,
    ) -> c_int {
        let Some(set) = epoll::set_of(epfd) else { return real!(epoll_pwait2(epfd, events, max, timeout, mask)) };
        guarded(|| {
            // SAFETY: null or valid, as epoll_pwait2(2) demands.
            let (deadline, mask) = (unsafe { readiness::deadline_in(timeout) }, unsafe { mask.as_ref() });
            answer(deadline.and_then(|deadline| {
                let at_once = deadline.is_some_and(|deadline| deadline <= family::now());
                epoll::Waiting { epfd, set, at_once }.wait(events, max, Limits { deadline, mask })
            }))
        })
    }
}
