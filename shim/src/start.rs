//! Starting the stack: at the program's first internet socket, never before.

use env::{OnFailure, Settings};
use family::{Family, StartError};

use crate::errno::Errno;
use crate::host_addresses::is_host_address;
use crate::limits::{self, ADDRESS_SPACE_MIN, DESCRIPTORS_MIN};
use crate::lock::ProcessLock;
use crate::phase::{self, Phase};
use crate::surroundings::{self, Process};
use crate::{
    alloc, big_stack, death, environment, fork, log, membership, panics, placeholder,
    process_hooks, running, signals, sys, thread,
};

/// Whether this process has a stack; starts it at the first call. `false`: the process uses the kernel's sockets. A
/// stack that has failed still counts.
pub(crate) fn start() -> bool {
    loop {
        match phase::current() {
            Phase::Running | Phase::Failed => return true,
            Phase::Kernel => return false,
            // It takes milliseconds.
            Phase::Starting => sys::pause_us(100),
            Phase::Untried(before) => {
                if phase::begin(before) {
                    phase::end(big_stack::start(try_start) == Some(true));
                }
            }
        }
    }
}

fn try_start() -> bool {
    let _inside = thread::inside();
    // Allocates nothing. std's own way to print a panic would read the environment.
    panics::install();
    environment::keep_at_start();
    if !has_memory() {
        return give_up(surroundings::on_failure());
    }
    let settings = match Settings::read(&Process) {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            sys::complain(format_args!(
                "NSTK_IF is not set, so the kernel's sockets are used; \
                 set NSTK_IF=tap:NAME (or link:NAME) and NSTK_ADDR=ADDRESS/PREFIX"
            ));
            return false;
        }
        Err(error) => {
            sys::complain(format_args!("{error}"));
            return give_up(error.on_failure());
        }
    };
    for warning in &settings.warnings {
        sys::complain(format_args!("{warning}"));
    }
    log::start(settings.log.as_deref());
    let on_failure = settings.on_failure;
    if !has_free_address(&settings) || !has_descriptors() {
        return give_up(on_failure);
    }
    match start_family(&settings) {
        Ok(family) => {
            big_stack::prepare();
            running::set(family, settings);
            signals::install();
            true
        }
        Err(why) => {
            sys::complain(format_args!("NSTK_IF={}: {why}", settings.device));
            give_up(on_failure)
        }
    }
}

/// Whether the limits leave memory for a stack; if not, the user has been told. Checked before anything is allocated:
/// without memory an allocation would end the program.
fn has_memory() -> bool {
    if let Some(kib) = limits::scarce_address_space() {
        sys::complain(format_args!(
            "the address space is limited to {kib} KiB (ulimit -v), too little for a stack; \
             raise it above {} KiB",
            ADDRESS_SPACE_MIN / 1024
        ));
        return false;
    }
    if !alloc::has_room() {
        sys::complain(format_args!(
            "the program's memory is limited (ulimit -d, ulimit -v) and leaves too little for a stack; \
             raise the limit"
        ));
        return false;
    }
    true
}

/// Whether the stack's addresses are not the kernel's; if they are, the user has been told.
fn has_free_address(settings: &Settings) -> bool {
    let own = [settings.stack.addr, settings.stack.addr6];
    let taken = own
        .into_iter()
        .find(|own| !own.is_unspecified() && is_host_address(*own));
    if let Some(own) = taken {
        sys::complain(format_args!(
            "NSTK_ADDR={own} is the kernel's own address on this machine; \
             give the stack another one of that network"
        ));
    }
    taken.is_none()
}

/// Whether the limits leave descriptors for a stack; if not, the user has been told.
fn has_descriptors() -> bool {
    let scarce = limits::scarce_descriptors();
    if let Some(limit) = scarce {
        sys::complain(format_args!(
            "fewer than {DESCRIPTORS_MIN} more files may be open under the limit of {limit} (ulimit -n), \
             too few for a stack; raise it"
        ));
    }
    scarce.is_none()
}

fn start_family(settings: &Settings) -> Result<Family, String> {
    placeholder::make()?;
    let family =
        Family::start(settings, process_hooks::hooks()).map_err(|error| error.to_string())?;
    membership::begin()?;
    fork::watch()?;
    Ok(family)
}

static RENEWAL: ProcessLock<()> = ProcessLock::new(());

/// Replaces a dead stack by a fresh one. The sockets of the dead one answer `ECONNRESET`.
#[cold]
pub(crate) fn renew(before: &'static Family) -> Result<(), Errno> {
    let _inside = thread::inside();
    RENEWAL.with(|(), _| {
        death::answer(before);
        let running = running::current().ok_or(Errno(libc::ENETDOWN))?;
        if !core::ptr::eq(&raw const running.family, before) {
            return Ok(());
        }
        let renewed = big_stack::start(|| {
            let family = before.renew(&running.settings)?;
            running::set(family, running.settings.clone());
            Ok::<(), StartError>(())
        });
        match renewed {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => {
                sys::complain(format_args!("{error}"));
                Err(Errno(libc::ENETDOWN))
            }
            None => Err(Errno(libc::ENETDOWN)),
        }
    })
}

/// Does what the user wants if there is no stack: uses the kernel's sockets, or ends the program.
fn give_up(choice: OnFailure) -> bool {
    match choice {
        OnFailure::Kernel => false,
        OnFailure::Exit => sys::exit(1),
    }
}
