//! Every way in which a socket comes to use the kernel's stack, what the user is told, and what `NSTK_FAIL=exit` does.
//!
//! Who compares two stacks must know which one was measured. So a socket of the kernel's is either asked for, by a rule
//! that the documents state, or it is named on stderr: once for each way and process. `scripts/docs` writes
//! docs/kernel.md from this table.

mod count;
mod table;

use core::ffi::c_int;
use core::fmt;

use env::OnFailure;
use sys::Errno;

use crate::complain::complain;
use crate::told::{self, Told};
use crate::{running, surroundings};

pub(crate) use count::counts;

/// A way in which a socket comes to use the kernel's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KernelUse {
    /// A rule of NSTK_BYPASS says so.
    Rule,
    /// It goes to this host by 127.0.0.0/8, `::1` or the unspecified address.
    Loopback,
    /// A datagram to port 53, outside the stack's networks.
    NameLookup,
    /// The peer is outside the stack's networks, and there is no gateway.
    NoGateway,
    /// The socket went to the kernel for an earlier peer, and the stack would have had this one.
    LaterPeer,
    /// The peer's family is one of which the stack has no address.
    NoAddressOfFamily,
    /// The peer is an address that the kernel has on this machine.
    HostAddress,
    /// A multicast group or the broadcast address.
    ManyPeers,
    /// Bound to an address that is not the stack's.
    OtherAddress,
    /// A scope id names another interface than the stack's.
    OtherInterface,
    /// Neither TCP nor UDP.
    OtherProtocol,
    /// Made by another program, and handed on by exec.
    Inherited,
    /// The process is no member of the family: it was made behind libc's back, or there was no place for it.
    NoMember,
}

/// Whether a way is one that the user has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// The documents state the rule. Logged at `info`.
    Asked,
    /// Named on stderr. `NSTK_FAIL=exit` refuses the socket.
    Unasked,
}

impl KernelUse {
    /// Lets a socket go to the kernel's stack. `what` the program was about to do is for the user.
    ///
    /// # Errors
    /// `refusal`, if the user wants the stack or nothing and has not asked for this way.
    pub(crate) fn admit(self, what: fmt::Arguments<'_>, refusal: c_int) -> Result<(), Errno> {
        let on_failure = on_failure();
        let mut is_first = count::note(self);
        if self == Self::NoMember {
            // Each such process counts by itself, and there may be many.
            is_first = is_first && told::first_time(Told::NoMember);
        }
        let row = self.row();
        match (row.wish, on_failure) {
            (Wish::Asked, _) => {}
            (Wish::Unasked, OnFailure::Kernel) if is_first => complain(format_args!(
                "{what} goes by the kernel's stack: {}; {}; NSTK_FAIL=exit refuses it instead",
                row.why, row.cure
            )),
            (Wish::Unasked, OnFailure::Kernel) => {}
            (Wish::Unasked, OnFailure::Exit) => {
                if is_first {
                    complain(format_args!(
                        "{what} is refused, as NSTK_FAIL=exit asks: {}; {}",
                        row.why, row.cure
                    ));
                }
                return Err(Errno(refusal));
            }
        }
        Ok(())
    }

    /// The same for a socket that is the kernel's already, by whatever way: it is not counted for this one as well.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub(crate) fn admit_again(self, what: fmt::Arguments<'_>, refusal: c_int) -> Result<(), Errno> {
        if count::has(self) && on_failure() == OnFailure::Kernel {
            return Ok(());
        }
        self.admit(what, refusal)
    }

    /// Whether the user has asked for this way.
    pub(crate) fn is_asked_for(self) -> bool {
        self.row().wish == Wish::Asked
    }

    /// Why, in words for the user and the log.
    pub(crate) fn why(self) -> &'static str {
        self.row().why
    }
}

/// What the user wants where the stack cannot serve a socket. Before the stack has started that may take a read of the
/// settings file.
fn on_failure() -> OnFailure {
    let settings = running::settings();
    settings.map_or_else(surroundings::on_failure_with_file, |settings| {
        settings.on_failure.unwrap_or_default()
    })
}

#[cfg(test)]
mod tests;
