//! The death of the stack: its sockets are taken over, and the user is told.

use core::fmt::Write;

use env::Settings;
use family::Family;
use sys::Errno;

use crate::complain::{Line, complain};
use crate::told::{self, Told};
use crate::{dead, running};

/// The answer to a call on a stack that is dead, or out of reach.
#[cold]
pub(crate) fn answer(family: &'static Family) -> Errno {
    if !family.is_dead() {
        return answer_out_of_reach();
    }
    notice(family);
    Errno(libc::ECONNRESET)
}

/// Takes over the sockets of a stack that is dead, and tells the user. `true`: this is the first time.
pub(crate) fn notice(family: &'static Family) -> bool {
    let is_first = dead::take_over(family);
    if is_first && let Some(settings) = running::settings() {
        tell_user(family, settings);
    }
    is_first
}

/// The answer to a call on a stack that lives, but has memory for which this process's limits leave no addresses.
#[cold]
pub(crate) fn answer_out_of_reach() -> Errno {
    if told::first_time(Told::OutOfReach) {
        complain(format_args!(
            "the address space is limited (RLIMIT_AS) to less than the stack's memory has become: calls on its sockets fail in \
             process {}; raise the limit, or lower net.ipv4.tcp_mem",
            sys::process_id()
        ));
    }
    Errno(libc::ENOMEM)
}

fn tell_user(family: &Family, settings: &Settings) {
    let device = &settings.device;
    if family.has_lost_device() {
        complain(format_args!(
            "NSTK_IF={device}: the interface has gone: all connections are reset"
        ));
        return;
    }
    let mut who = Line::<32>::new();
    let _ = match family.find_killed() {
        Some(pid) => write!(who, "process {pid}"),
        None => write!(who, "a process"),
    };
    complain(format_args!(
        "NSTK_IF={device}: {} was killed inside the stack, which is dead now: connections are reset, \
         and listeners get no more connections; restart the program",
        who.text()
    ));
}
