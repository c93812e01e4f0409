//! Sockets of ours in messages to other processes (unix(7), `SCM_RIGHTS`).
//!
//! The placeholder would mean nothing elsewhere, so a ticket travels in its place ([`family::Ticket`]). The process that
//! receives it joins the family, and the ticket's number becomes a descriptor of the socket.

mod control;
mod give;
mod take;

use libc::msghdr;

pub(crate) use give::{any_passes_ours, give};
pub(crate) use take::take;

/// Whether there is room for control data in a message, or such data.
///
/// # Safety
/// `message` must be null or lead to a message.
#[inline]
pub(crate) unsafe fn has_control(message: *const msghdr) -> bool {
    // SAFETY: whoever calls `has_control` promises null or a message.
    unsafe { message.as_ref() }.is_some_and(|message| message.msg_controllen > 0)
}
