//! epoll(7). Calls on sets without stack sockets are the kernel's.

use core::ffi::c_int;

use libc::{epoll_event, sigset_t, timespec};
use sys::Errno;

use crate::answer::{answer, done};
use crate::dead;
use crate::descriptors::{self, Descriptor};
use crate::epoll::{self, Waiting, adoption, kernel_waits, marker, nesting, numbers};
use crate::guard::guarded;
use crate::hook::{hook, real};
use crate::readiness::{self, Limits};
use crate::running;

hook! {
    /// epoll_create(2).
    fn epoll_create(size: c_int) -> c_int {
        numbers::note_created(real!(epoll_create(size)))
    }
}

hook! {
    /// epoll_create1(2).
    fn epoll_create1(flags: c_int) -> c_int {
        numbers::note_created(real!(epoll_create1(flags)))
    }
}

hook! {
    /// epoll_ctl(2).
    fn epoll_ctl(epfd: c_int, operation: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
        if descriptors::is_kernel(fd) && (operation != libc::EPOLL_CTL_ADD || running::family().is_none()) {
            return real!(epoll_ctl(epfd, operation, fd, event));
        }
        // SAFETY: the event is null or valid, as epoll_ctl(2) demands.
        unsafe { control(epfd, operation, fd, event) }
    }
}

/// A function of its own, so that the hook needs no stack frame.
///
/// # Safety
/// `event` is null or valid.
#[inline(never)]
unsafe fn control(epfd: c_int, operation: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
    let descriptor = descriptors::get(fd);
    if let Descriptor::Stack(file) = descriptor {
        return guarded(move || {
            // SAFETY: the hook passes on the program's own event.
            done(unsafe { epoll::control(epfd, operation, (fd, file), event) })
        });
    }
    let result = real!(epoll_ctl(epfd, operation, fd, event));
    if result != 0 {
        return result;
    }
    match descriptor {
        Descriptor::Epoll(inner) if inner != dead::NO_SET => {
            guarded(move || {
                // SAFETY: the kernel has accepted the event.
                done(unsafe { nesting::control(epfd, operation, (fd, inner), event) })
            })
        }
        Descriptor::Kernel if operation == libc::EPOLL_CTL_ADD && epoll::is_epoll(fd) => {
            // SAFETY: the kernel has accepted the event.
            guarded(|| unsafe { nesting::create(epfd, fd, event) });
            result
        }
        Descriptor::Kernel | Descriptor::Stack(_) | Descriptor::Epoll(_) => result,
    }
}

hook! {
    /// epoll_wait(2).
    fn epoll_wait(epfd: c_int, events: *mut epoll_event, max: c_int, timeout: c_int) -> c_int {
        wait(
            (epfd, events, max),
            timeout == 0,
            move || Ok(Limits { deadline: readiness::deadline_ms(timeout), mask: None }),
            move || real!(epoll_wait(epfd, events, max, timeout)),
        )
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
        wait(
            (epfd, events, max),
            timeout == 0,
            move || {
                // SAFETY: null or valid, as epoll_pwait(2) demands.
                let mask = unsafe { mask.as_ref() };
                Ok(Limits { deadline: readiness::deadline_ms(timeout), mask })
            },
            move || real!(epoll_pwait(epfd, events, max, timeout, mask)),
        )
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
        wait(
            (epfd, events, max),
            false,
            // SAFETY: null or valid, as epoll_pwait2(2) demands.
            move || unsafe { Limits::new(timeout, mask) },
            move || real!(epoll_pwait2(epfd, events, max, timeout, mask)),
        )
    }
}

/// A call that waits on a set. `real` asks the kernel alone; `only_looks` if it surely does not sleep.
#[inline(always)]
fn wait<'a>(
    (epfd, events, max): (c_int, *mut epoll_event, c_int),
    only_looks: bool,
    limits: impl FnOnce() -> Result<Limits<'a>, Errno>,
    real: impl FnOnce() -> c_int,
) -> c_int {
    if descriptors::is_kernel(epfd) {
        // What only looks and does not know of a change finds it out at the next call that may sleep.
        if only_looks && !adoption::may_have_changed(epfd) {
            return real();
        }
        return wait_in_kernel((epfd, events, max), limits, real);
    }
    wait_in_both((epfd, events, max), limits, real)
}

/// Waits on a set with a stack part. `real` is called if it turns out to have none.
#[inline(never)]
fn wait_in_both<'a>(
    (epfd, events, max): (c_int, *mut epoll_event, c_int),
    limits: impl FnOnce() -> Result<Limits<'a>, Errno>,
    real: impl FnOnce() -> c_int,
) -> c_int {
    match descriptors::get(epfd) {
        Descriptor::Epoll(set) => guarded(move || {
            answer(limits().and_then(|limits| Waiting { epfd, set, limits }.wait(events, max)))
        }),
        Descriptor::Kernel | Descriptor::Stack(_) => real(),
    }
}

/// Waits on a set of the kernel's. It may get a stack part meanwhile; then the wait goes on with both.
#[inline(never)]
fn wait_in_kernel<'a>(
    (epfd, events, max): (c_int, *mut epoll_event, c_int),
    limits: impl FnOnce() -> Result<Limits<'a>, Errno>,
    real: impl FnOnce() -> c_int,
) -> c_int {
    // A wrong time limit is the kernel's to judge.
    let Ok(limits) = limits() else { return real() };
    if adoption::may_have_changed(epfd) {
        guarded(adoption::look_at_shared);
    }
    let sleep = kernel_waits::begin(epfd);
    if !descriptors::is_kernel(epfd) {
        drop(sleep);
        return wait_in_both((epfd, events, max), || Ok(limits), real);
    }
    let count = real();
    drop(sleep);
    let Some(taken) = usize::try_from(count).ok().filter(|taken| *taken > 0) else {
        return count;
    };
    // SAFETY: the kernel has filled in that many events.
    let (kept, named) = unsafe { marker::take_out(events, taken) };
    let Some(set) = named else { return count };
    guarded(|| adoption::found(epfd, set));
    if kept > 0 {
        return kept as c_int;
    }
    wait_in_both((epfd, events, max), || Ok(limits), || 0)
}
