//! Routing: a socket goes to the stack or to the kernel. That is decided as late as possible: at bind to an address,
//! connect, listen or first send.

mod again;
mod decision;
mod handed_over;
mod to_kernel;

use core::ffi::c_int;

use family::FileId;
use stack::OptName;

use crate::host_addresses::is_host_address;
use crate::routed::{ROUTED, Routed};
use crate::{descriptors, entering, replay, running};
use decision::{Decision, Unrouted};

pub(crate) use again::{admit, admit_message, admit_messages};
pub(crate) use decision::Purpose;
use sys::Errno;

/// Routes the socket behind `fd` unless that has been done. After [`Routed::Kernel`] the caller
/// repeats its call on the real function.
///
/// # Errors
/// The kernel's stack would have it, and the user does not want that ([`crate::kernel_use`]); or there is no descriptor
/// for a kernel socket.
pub(crate) fn route(fd: c_int, file: FileId, purpose: Purpose) -> Result<Routed, Errno> {
    if !descriptors::is_undecided(fd) {
        return Ok(Routed::Stack(()));
    }
    let Some((socket, flags)) = find(file)? else {
        descriptors::set_decided(file);
        return Ok(Routed::Stack(()));
    };
    let decision =
        running::settings().and_then(|settings| socket.decide(purpose, settings, is_host_address));
    match decision {
        None => Ok(Routed::Stack(())),
        Some(Decision::Stack(why)) => {
            tracing::info!("socket {fd} {}: stack ({why})", socket.intent(purpose));
            keep(file)?;
            Ok(Routed::Stack(()))
        }
        Some(Decision::Kernel(way)) => {
            let intent = socket.intent(purpose);
            tracing::info!("socket {fd} {intent}: kernel ({})", way.why());
            way.admit(format_args!("{intent}"), purpose.refusal())?;
            to_kernel::hand_over(file, &socket, purpose, flags)?;
            Ok(Routed::Kernel)
        }
    }
}

/// The socket and its file's flags. `None`: it has been routed, perhaps by another process.
fn find(file: FileId) -> Result<Option<(Unrouted, u32)>, Errno> {
    entering::enter(|state, _| {
        let record = state
            .files
            .get(file)
            .ok_or_else(|| descriptors::gone(file))?;
        if record.flags & ROUTED != 0 {
            return Ok(None);
        }
        let found = (|| {
            let socket = Unrouted {
                kind: state.stack.kind(record.sock)?,
                domain: state.stack.domain(record.sock)?,
                is_v6_only: state.stack.option(record.sock, OptName::V6Only) == Ok(1),
                local: state.stack.local(record.sock)?,
            };
            Some((socket, record.flags))
        })();
        found.map(Some).ok_or(Errno(libc::EBADF))
    })?
}

/// The socket is the stack's for good.
fn keep(file: FileId) -> Result<(), Errno> {
    entering::enter(|state, _| {
        if let Some(mut record) = state.files.get_mut(file) {
            record.flags |= ROUTED;
        }
    })?;
    descriptors::set_decided(file);
    replay::forget(file);
    Ok(())
}
