//! Receiving: a ticket that has come becomes a descriptor of the socket that it stands for.

use core::ffi::c_int;

use family::{Passed, Ticket};
use libc::msghdr;

use super::control::for_each_descriptor;
use super::has_control;
use crate::complain::complain;
use crate::descriptors::{self, Descriptor};
use crate::epoll::numbers;
use crate::guard::guarded;
use crate::{closing, epoll, errno, placeholder, running, start, user};

/// Looks at the descriptors that have come with a message.
///
/// # Safety
/// `message` must be null or what recvmsg(2) has filled.
pub(crate) unsafe fn take(message: *const msghdr) {
    // SAFETY: as the caller promises.
    if !unsafe { has_control(message) } {
        return;
    }
    // SAFETY: as the caller promises.
    let Ok(message) = (unsafe { user::get(message) }) else {
        return;
    };
    let errno = errno::last();
    guarded(|| {
        let each = |place: *mut c_int| {
            // SAFETY: a place within the message's control data.
            received(unsafe { place.read_unaligned() });
        };
        // SAFETY: the kernel has filled the control data, and says how much.
        unsafe { for_each_descriptor(message.msg_control.cast(), message.msg_controllen, each) };
    });
    errno::set(errno);
}

/// A descriptor has come from another process.
fn received(fd: c_int) {
    // What is known of the number is about an earlier file, which libc has closed.
    if !descriptors::is_kernel(fd) && closing::concerns_us() {
        closing::forget(fd);
    }
    descriptors::set_note(fd, None);
    match Ticket::read(fd) {
        Some(ticket) if !is_redeemed(fd, ticket) => lose(fd),
        Some(_) => {}
        None => epoll::note_received(fd),
    }
}

/// The descriptor stands for what its ticket says from now on. `false`: it cannot.
fn is_redeemed(fd: c_int, ticket: Ticket) -> bool {
    if !family::is_held(fd) || !start::is_wanted() || !start::start() {
        return false;
    }
    let Some(family) = running::family().filter(|family| family.identity() == ticket.family) else {
        return false;
    };
    if !family.hold(ticket.passed) {
        return false;
    }
    let is_there = settle(fd, ticket.passed);
    if !is_there {
        family.let_go(ticket.passed);
    }
    is_there
}

fn settle(fd: c_int, passed: Passed) -> bool {
    match passed {
        Passed::Socket(file) | Passed::Undecided(file) => {
            if placeholder::lay_over(fd).is_err() || !descriptors::set(fd, Descriptor::Stack(file))
            {
                return false;
            }
            if passed == Passed::Undecided(file) {
                descriptors::set_undecided(fd);
            }
            true
        }
        Passed::Set(set) => {
            let Some(kernels) = family::set_inside(fd) else {
                return false;
            };
            if placeholder::lay(kernels.as_raw(), fd).is_err() {
                return false;
            }
            numbers::note_shared(fd);
            descriptors::set(fd, Descriptor::Epoll(set))
        }
    }
}

/// The descriptor is one at its end.
fn lose(fd: c_int) {
    complain(format_args!(
        "descriptor {fd}, which another process has passed, is lost: it is a socket of a stack that this program is not \
         part of, or that has gone"
    ));
    if let Ok((one, _other)) = sys::socketpair() {
        let _ = placeholder::lay(one.as_raw(), fd);
    }
}
