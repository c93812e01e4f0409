//! Judging the next peer of a socket that went to the kernel for an earlier one. The socket stays there, so a peer that the
//! stack would have had goes by the kernel, too: that is named, or refused.

use core::ffi::c_int;

use env::Role;
use libc::{mmsghdr, msghdr, sockaddr, socklen_t};
use stack::{Domain, Endpoint};
use sys::Errno;

use super::decision::{Decision, Purpose, Unrouted};
use super::handed_over::HandedOver;
use crate::address::{self, Parsed};
use crate::host_addresses::is_host_address;
use crate::kernel_use::KernelUse;
use crate::messages::MESSAGES_MAX;
use crate::running;

/// Lets the kernel have connect(2) or a datagram to this address.
///
/// # Errors
/// The user wants the stack or nothing.
///
/// # Safety
/// `addr` must be null or readable for `len` bytes.
pub(crate) unsafe fn admit(fd: c_int, addr: *const sockaddr, len: socklen_t) -> Result<(), Errno> {
    let Some(socket) = HandedOver::noted(fd).filter(|_| !addr.is_null()) else {
        return Ok(());
    };
    // SAFETY: the caller's promise.
    let purpose = match unsafe { address::read_any(addr, len) } {
        Ok((_, Parsed::Inet(peer))) => Purpose::Connect(peer),
        Ok((_, Parsed::OtherInterface)) => Purpose::OtherInterface(Role::Connect),
        // The kernel answers.
        Ok((_, Parsed::Unspec)) | Err(_) => return Ok(()),
    };
    judge(fd, socket, purpose)
}

/// The same for a message of sendmsg(2).
///
/// # Safety
/// `message` must be null or what sendmsg(2) takes.
pub(crate) unsafe fn admit_message(fd: c_int, message: *const msghdr) -> Result<(), Errno> {
    // SAFETY: the caller's promise.
    match unsafe { message.as_ref() } {
        // SAFETY: the caller's promise.
        Some(message) => unsafe { admit(fd, message.msg_name.cast(), message.msg_namelen) },
        None => Ok(()),
    }
}

/// The same for sendmmsg(2): how many of the messages the kernel may have.
///
/// # Errors
/// Not even the first one.
///
/// # Safety
/// `messages` must be null or lead to `count` messages.
pub(crate) unsafe fn admit_messages(
    fd: c_int,
    messages: *const mmsghdr,
    count: u32,
) -> Result<u32, Errno> {
    if HandedOver::noted(fd).is_none() || messages.is_null() {
        return Ok(count);
    }
    for at in 0..count.min(MESSAGES_MAX) {
        let message = messages.wrapping_add(at as usize);
        // SAFETY: one of the messages.
        let message = unsafe { &raw const (*message).msg_hdr };
        // SAFETY: the caller's promise.
        match unsafe { admit_message(fd, message) } {
            Err(_) if at > 0 => return Ok(at),
            admitted => admitted?,
        }
    }
    Ok(count)
}

fn judge(fd: c_int, socket: HandedOver, purpose: Purpose) -> Result<(), Errno> {
    // A socket that was bound to an address of the stack's is not handed over.
    let ours = Unrouted {
        kind: socket.kind(),
        domain: Domain::Inet,
        is_v6_only: false,
        local: Endpoint::UNSPECIFIED,
    };
    let decision =
        running::settings().and_then(|settings| ours.decide(purpose, settings, is_host_address));
    let way = match decision {
        Some(Decision::Stack(_)) => KernelUse::LaterPeer,
        Some(Decision::Kernel(way)) if !way.is_asked_for() => way,
        Some(Decision::Kernel(_)) | None => return Ok(()),
    };
    if !socket.is_behind(fd) {
        HandedOver::forget(fd);
        return Ok(());
    }
    if !socket.is_free(fd) {
        return Ok(());
    }
    let intent = ours.intent(purpose);
    let (what, refusal) = (format_args!("{intent}"), purpose.refusal());
    if way != KernelUse::LaterPeer {
        return way.admit_again(what, refusal);
    }
    way.admit(what, refusal)?;
    // The user knows of this socket now.
    HandedOver::forget(fd);
    Ok(())
}
