//! Starting the stack: at the program's first internet socket, never before.

use core::fmt;
use core::time::Duration;

use env::{OnFailure, Settings};
use family::{Family, StartError};
use nicio::DeviceSpec;
use sys::Errno;

use crate::big_stack::NotStarted;
use crate::complain::complain;
use crate::epoll::marker;
use crate::host_addresses::is_host_address;
use crate::lock::ProcessLock;
use crate::phase::{self, Phase};
use crate::surroundings::{self, Process};
use crate::{
    big_stack, carried, death, environment, fork, limits, log, membership, panics, placeholder,
    process_hooks, report, running, signals, thread,
};

/// Whether this process has a stack; starts it at the first call. `false`: the process uses the kernel's sockets. A
/// stack that has failed still counts.
pub(crate) fn start() -> bool {
    loop {
        match phase::current() {
            Phase::Running | Phase::Failed => return true,
            Phase::Kernel => return false,
            // It takes milliseconds.
            Phase::Starting => sys::pause(Duration::from_micros(100)),
            Phase::Untried(before) => {
                if phase::begin(before) {
                    phase::end(start_or_give_up());
                }
            }
        }
    }
}

/// Descriptors that the program was started with are looked at for the first time.
pub(crate) fn arrive() {
    if !start() {
        carried::take_over(None);
    }
}

/// Whether the user means this program to have a stack, and the start has not failed.
pub(crate) fn is_wanted() -> bool {
    let names_device = |name| environment::value(name).is_some_and(|value| !value.is_empty());
    match phase::current() {
        Phase::Running | Phase::Failed => true,
        Phase::Kernel => false,
        Phase::Starting | Phase::Untried(_) => {
            names_device("NSTK_IF")
                || names_device("NSTK_CONFIG")
                || surroundings::on_failure() == OnFailure::Exit
        }
    }
}

fn start_or_give_up() -> bool {
    match big_stack::start(try_start) {
        Ok(started) => started,
        Err(NotStarted::NoMemory) => give_up(
            surroundings::on_failure(),
            format_args!("no memory to start in; raise the limit on address space"),
        ),
        Err(NotStarted::Panicked) => give_up(
            surroundings::on_failure(),
            format_args!("the stack has not started"),
        ),
    }
}

fn try_start() -> bool {
    let _inside = thread::inside();
    // Allocates nothing. std's own way to print a panic would read the environment.
    panics::install();
    environment::keep_at_start();
    if let Err(scarce) = limits::check_memory() {
        return give_up(surroundings::on_failure(), format_args!("{scarce}"));
    }
    let settings = match Settings::read(&Process) {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            return give_up(
                surroundings::on_failure_with_file(),
                format_args!(
                    "NSTK_IF is not set; set NSTK_IF=tap:NAME (or link:NAME) and NSTK_ADDR=ADDRESS/PREFIX"
                ),
            );
        }
        Err(error) => return give_up(error.on_failure(), format_args!("{error}")),
    };
    for warning in &settings.warnings {
        complain(format_args!("{warning}"));
    }
    log::start(settings.log.as_deref());
    let on_failure = settings.on_failure.unwrap_or_default();
    match start_with(settings) {
        Ok(()) => true,
        Err(why) => give_up(on_failure, format_args!("{why}")),
    }
}

/// Starts the stack. The error is a line for the user, without what happens next.
fn start_with(settings: Settings) -> Result<(), String> {
    check_address(&settings)?;
    limits::check_descriptors().map_err(|scarce| scarce.to_string())?;
    let family =
        start_family(&settings).map_err(|why| format!("NSTK_IF={}: {why}", settings.device))?;
    if let DeviceSpec::Tap(name) | DeviceSpec::Packet(name) = &settings.device
        && nicio::is_up(&settings.device) == Ok(false)
    {
        complain(format_args!(
            "NSTK_IF={}: the interface is down, so nothing comes or goes; set it up with `ip link set {name} up`",
            settings.device
        ));
    }
    big_stack::prepare();
    running::set(family, settings);
    signals::install();
    if let Some(running) = running::current() {
        carried::take_over(Some(&running.family));
        report::started(running);
    }
    Ok(())
}

/// Whether the stack's addresses are not the kernel's.
fn check_address(settings: &Settings) -> Result<(), String> {
    let own = [settings.stack.addr, settings.stack.addr6];
    let taken = own
        .into_iter()
        .find(|own| !own.is_unspecified() && is_host_address(*own));
    match taken {
        None => Ok(()),
        Some(own) => Err(format!(
            "NSTK_ADDR={own} is the kernel's own address on this machine; \
             give the stack another one of that network"
        )),
    }
}

fn start_family(settings: &Settings) -> Result<Family, String> {
    placeholder::make()?;
    let family =
        Family::start(settings, process_hooks::hooks()).map_err(|error| error.to_string())?;
    marker::make(&family)?;
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
            // It is made already, so only its key changes.
            let _ = marker::make(&family);
            running::set(family, running.settings.clone());
            Ok::<(), StartError>(())
        });
        let error = match renewed {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(NotStarted::NoMemory) => "no memory to start in".to_owned(),
            Err(NotStarted::Panicked) => return Err(Errno(libc::ENETDOWN)),
        };
        complain(format_args!("no fresh stack: {error}"));
        Err(Errno(libc::ENETDOWN))
    })
}

/// Tells the user that there is no stack, and does what was asked for then: uses the kernel's sockets, or ends the program.
fn give_up(choice: OnFailure, why: fmt::Arguments<'_>) -> bool {
    match choice {
        OnFailure::Kernel => {
            complain(format_args!(
                "{why}; the program goes on with the kernel's stack (NSTK_FAIL=exit ends it instead)"
            ));
            false
        }
        OnFailure::Exit => {
            let who_asks = if environment::value("NSTK_FAIL").is_some() {
                "NSTK_FAIL=exit"
            } else {
                "so NSTK_CONFIG's file asks, or nobody can read it; NSTK_FAIL=kernel goes on instead"
            };
            complain(format_args!("{why}; the program ends ({who_asks})"));
            sys::exit(OnFailure::STATUS)
        }
    }
}
