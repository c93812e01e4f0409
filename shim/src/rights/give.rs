//! Sending: a ticket goes in place of each of our sockets. The program's own message stays as it is.

use core::ffi::c_int;

use family::{NotPassed, Passed};
use libc::{mmsghdr, msghdr};
use sys::Errno;

use super::control::for_each_descriptor;
use super::has_control;
use crate::complain::complain;
use crate::descriptors::{self, Entry};
use crate::epoll::numbers;
use crate::errno::{self, fail};
use crate::guard::guarded;
use crate::messages::{MESSAGES_MAX, parts};
use crate::{closing, dead, entering, user};

/// Most descriptors in one message (`SCM_MAX_FD`).
const DESCRIPTORS_MAX: usize = 253;
/// Room for that many, for credentials, and more.
const CONTROL_BYTES: usize = 1280;

/// Sends a message by `real`, with tickets for our sockets in it.
///
/// # Safety
/// `message` must be null or what sendmsg(2) takes.
pub(crate) unsafe fn give(
    message: *const msghdr,
    real: impl FnOnce(*const msghdr) -> isize,
) -> isize {
    // SAFETY: as the caller promises.
    if !unsafe { passes_ours(message) } {
        return real(message);
    }
    let mut tickets = Tickets::new();
    // SAFETY: as the caller promises.
    let refused: Option<isize> =
        guarded(|| unsafe { tickets.fill(message) }.err().map(fail::<isize>));
    if let Some(refused) = refused {
        return refused;
    }
    let sent = real(&raw const tickets.message);
    let errno = errno::last();
    drop(tickets);
    errno::set(errno);
    sent
}

/// Whether one of these messages passes a socket of ours.
///
/// # Safety
/// `messages` must be null or lead to `count` messages.
pub(crate) unsafe fn any_passes_ours(messages: *mut mmsghdr, count: u32) -> bool {
    closing::concerns_us()
        && !messages.is_null()
        && (0..count.min(MESSAGES_MAX) as usize).any(|at| {
            let (message, _) = parts(messages.wrapping_add(at));
            // SAFETY: as the caller promises.
            unsafe { passes_ours(message) }
        })
}

/// # Safety
/// `message` must be null or what sendmsg(2) takes.
unsafe fn passes_ours(message: *const msghdr) -> bool {
    // SAFETY: as the caller promises.
    if !unsafe { has_control(message) } || !closing::concerns_us() {
        return false;
    }
    // SAFETY: as the caller promises.
    let Ok(message) = (unsafe { user::get(message) }) else {
        return false;
    };
    if message.msg_control.is_null() {
        return false;
    }
    let mut passes = false;
    let each = |place: *mut c_int| {
        // SAFETY: a place within the message's control data.
        let fd = unsafe { place.read_unaligned() };
        passes |= !descriptors::is_kernel(fd);
        if numbers::may_be_set(fd) {
            numbers::note_shared(fd);
        }
    };
    // SAFETY: the control data is as long as the message says.
    unsafe { for_each_descriptor(message.msg_control.cast(), message.msg_controllen, each) };
    passes
}

/// A copy of a message with tickets in it, which are closed with the value.
struct Tickets {
    message: msghdr,
    control: Control,
    /// A bit for each descriptor of the copy that is a ticket.
    are_tickets: [u64; DESCRIPTORS_MAX.div_ceil(64)],
}

/// Aligned as control data must be.
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

impl Tickets {
    fn new() -> Self {
        Self {
            // SAFETY: null pointers and lengths of 0.
            message: unsafe { core::mem::zeroed() },
            control: Control([0; CONTROL_BYTES]),
            are_tickets: [0; _],
        }
    }

    /// Copies the program's message. The value must stay where it is from now on.
    ///
    /// # Safety
    /// `message` must be what sendmsg(2) takes.
    unsafe fn fill(&mut self, message: *const msghdr) -> Result<(), Errno> {
        // SAFETY: as the caller promises.
        let mut message = unsafe { user::get(message) }?;
        let len = message.msg_controllen;
        if len > CONTROL_BYTES {
            return Err(Errno(libc::ENOBUFS));
        }
        let (from, to) = (message.msg_control.cast(), self.control.0.as_mut_ptr());
        // SAFETY: the control data is as long as the message says, and there is room for it.
        unsafe { core::ptr::copy_nonoverlapping(from, to, len) };
        message.msg_control = to.cast();
        self.message = message;
        let mut result = Ok(());
        self.for_each(|at, place, is_ticket| {
            if result.is_err() {
                return;
            }
            if at >= DESCRIPTORS_MAX {
                result = Err(Errno(libc::EINVAL));
                return;
            }
            // SAFETY: a place within the copy.
            let fd = unsafe { place.read_unaligned() };
            match ticket(fd) {
                Ok(Some(ticket)) => {
                    // SAFETY: as before.
                    unsafe { place.write_unaligned(ticket) };
                    *is_ticket |= 1 << (at % 64);
                }
                Ok(None) => {}
                Err(error) => result = Err(error),
            }
        });
        result
    }

    /// Calls `each` for the copy's descriptors, with the word that has their bit.
    fn for_each(&mut self, mut each: impl FnMut(usize, *mut c_int, &mut u64)) {
        let (len, data) = (self.message.msg_controllen, self.control.0.as_mut_ptr());
        let mut at = 0;
        let mut beyond = 0;
        let each = |place| {
            let word = self.are_tickets.get_mut(at / 64).unwrap_or(&mut beyond);
            each(at, place, word);
            at += 1;
        };
        // SAFETY: the copy has that many bytes.
        unsafe { for_each_descriptor(data, len, each) };
    }
}

impl Drop for Tickets {
    fn drop(&mut self) {
        self.for_each(|at, place, is_ticket| {
            if *is_ticket & 1 << (at % 64) != 0 {
                // SAFETY: a place within the copy.
                let ticket = unsafe { place.read_unaligned() };
                // SAFETY: it was made for this message.
                let _ = unsafe { sys::close(ticket) };
            }
        });
    }
}

/// A ticket for a descriptor, if it is one of ours.
fn ticket(fd: c_int) -> Result<Option<c_int>, Errno> {
    let entry = Entry {
        fd,
        descriptor: descriptors::get(fd),
        is_undecided: descriptors::is_undecided(fd),
    };
    let Some(passed) = entry
        .passed()
        .filter(|passed| *passed != Passed::Set(dead::NO_SET))
    else {
        return Ok(None);
    };
    match entering::family()?.pass(passed, fd) {
        Ok(ticket) => Ok(Some(ticket.into_raw())),
        Err(NotPassed::System(errno)) => Err(errno),
        Err(NotPassed::TooMany) => Err(Errno(libc::ETOOMANYREFS)),
        Err(NotPassed::NoKeeper) => {
            complain(format_args!(
                "a socket cannot be passed to another process (SCM_RIGHTS), since the stack's keeper does not answer; is it \
                 another user's?"
            ));
            Err(Errno(libc::EOPNOTSUPP))
        }
    }
}
