//! Starting the stack: at the program's first internet socket, never before.

use core::fmt::Write;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use env::{OnFailure, Settings};
use family::{Family, StartError, State};
use nicio::DeviceSpec;
use stack::Instant;

use crate::errno::Errno;
use crate::lock::ProcessLock;
use crate::surroundings::{self, Process};
use crate::{
    alloc, child, dead, environment, log, panics, roomy, route, signals, sys, template, thread,
};

/// How far this process has come: one of the states below, with the process's id in the upper half
/// while it is starting.
static PHASE: AtomicU64 = AtomicU64::new(UNTRIED);

const UNTRIED: u64 = 0;
const STARTING: u64 = 1;
const RUNNING: u64 = 2;
/// There will be no stack in this process.
const KERNEL: u64 = 3;
/// A hook panicked: sockets of ours answer `ENETDOWN`.
const FAILED: u64 = 4;

/// What runs from the start on, for ever.
struct Running {
    family: Family,
    settings: Settings,
    /// The kernel's number of the device; 0: it has none.
    link: u32,
}

static CURRENT: AtomicPtr<Running> = AtomicPtr::new(core::ptr::null_mut());

fn running() -> Option<&'static Running> {
    // SAFETY: the pointer is null or leads to a value that was leaked.
    unsafe { CURRENT.load(Ordering::Acquire).as_ref() }
}

fn set_running(family: Family, settings: Settings) {
    let link = match &settings.device {
        DeviceSpec::Tap(name) => sys::interface_index(name.as_str()).unwrap_or(0),
        _ => 0,
    };
    let running = Box::new(Running {
        family,
        settings,
        link,
    });
    CURRENT.store(Box::into_raw(running), Ordering::Release);
}

/// The family of this process; `None` before its first internet socket, and without a stack.
#[inline]
pub(crate) fn family() -> Option<&'static Family> {
    running().map(|running| &running.family)
}

/// The number by which link-local addresses name the stack's link; 0: none.
pub(crate) fn own_link() -> u32 {
    running().map_or(0, |running| running.link)
}

/// Whether this number names the stack's link, and the stack speaks IPv6 there.
pub(crate) fn is_own_link(scope: u32) -> bool {
    scope != 0
        && running().is_some_and(|running| running.link == scope && running.settings.stack.has_v6())
}

/// The settings that the stack runs with.
pub(crate) fn settings() -> Option<&'static Settings> {
    running().map(|running| &running.settings)
}

/// Enters the stack. `ENETDOWN`: it has failed; `ECONNRESET`: it died with one of its processes.
#[inline]
pub(crate) fn enter<R>(work: impl FnOnce(&mut State, Instant) -> R) -> Result<R, Errno> {
    let family = entered()?;
    family.enter(work).map_err(|_| ended(family))
}

/// The answer to calls on a stack that is dead.
#[cold]
pub(crate) fn ended(family: &'static Family) -> Errno {
    hear_of_death(family);
    Errno(libc::ECONNRESET)
}

/// Takes over the sockets of a stack that is dead and tells the user, the first time: `true`.
pub(crate) fn hear_of_death(family: &'static Family) -> bool {
    let is_first = dead::take_over(family);
    if is_first && let Some(settings) = settings() {
        tell_of_death(family, settings);
    }
    is_first
}

fn tell_of_death(family: &Family, settings: &Settings) {
    let device = &settings.device;
    if family.has_lost_device() {
        sys::complain(format_args!(
            "NSTK_IF={device}: the interface has gone, and with it all connections"
        ));
        return;
    }
    let mut who = sys::Line::<32>::new();
    let _ = match family.find_killed() {
        Some(pid) => write!(who, "process {pid}"),
        None => write!(who, "a process"),
    };
    sys::complain(format_args!(
        "NSTK_IF={device}: {} was killed while it was inside the stack, which died with it: connections are reset, \
         and listeners hear nothing any more; restart the program",
        who.text()
    ));
}

/// The family, for calls that wait. Errors as [`enter`].
pub(crate) fn entered() -> Result<&'static Family, Errno> {
    if PHASE.load(Ordering::Relaxed) == FAILED {
        return Err(Errno(libc::ENETDOWN));
    }
    family().ok_or(Errno(libc::ENETDOWN))
}

/// From now on nothing of ours works any more.
#[cold]
pub(crate) fn mark_failed() {
    PHASE.store(FAILED, Ordering::Relaxed);
}

/// Whether this process has a stack, which this call starts if nobody has tried yet. `false`: it
/// uses the kernel's sockets. A stack that has failed is still the one to ask.
pub(crate) fn start() -> bool {
    loop {
        let phase = PHASE.load(Ordering::Acquire);
        match phase & u64::from(u32::MAX) {
            RUNNING | FAILED => return true,
            KERNEL => return false,
            _ => {}
        }
        let starting = u64::from(sys::process_id()) << 32 | STARTING;
        if phase == starting {
            // Another thread is at it. It takes milliseconds.
            sys::pause_us(100);
            continue;
        }
        // A phase of another process is what a fork left while a thread of its parent was starting.
        if PHASE
            .compare_exchange(phase, starting, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            let reached = match roomy::start(try_start) {
                Some(true) => RUNNING,
                Some(false) | None => KERNEL,
            };
            // Left alone if the stack has failed meanwhile.
            let _ = PHASE.compare_exchange(starting, reached, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

fn try_start() -> bool {
    let _inside = thread::inside();
    // Nothing is allocated by it; std's own way to tell of a panic reads the environment.
    panics::install();
    environment::keep_at_start();
    // Before anything is allocated: where there is no room, allocating would end the program.
    if let Some(kib) = scarce_address_space() {
        sys::complain(format_args!(
            "the address space is limited to {kib} KiB (ulimit -v), too little for a stack; \
             raise it above {} KiB",
            ADDRESS_SPACE_MIN / 1024
        ));
        return give_up(surroundings::on_failure());
    }
    if !alloc::has_room() {
        sys::complain(format_args!(
            "the program's memory is limited (ulimit -d, ulimit -v) and leaves too little for a stack; \
             raise the limit"
        ));
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
    let own = [settings.stack.addr, settings.stack.addr6];
    let taken = own
        .into_iter()
        .find(|own| !own.is_unspecified() && route::is_host_address(*own));
    if let Some(own) = taken {
        sys::complain(format_args!(
            "NSTK_ADDR={own} is the kernel's own address on this machine; \
             give the stack another one of that network"
        ));
        return give_up(on_failure);
    }
    if let Some(limit) = scarce_descriptors() {
        sys::complain(format_args!(
            "fewer than {DESCRIPTORS_MIN} more files may be open under the limit of {limit} (ulimit -n), \
             too few for a stack; raise it"
        ));
        return give_up(on_failure);
    }
    let family = template::make()
        .and_then(|()| Family::start(&settings, thread::host()).map_err(|error| error.to_string()))
        .and_then(|family| child::watch().map(|()| family).map_err(str::to_owned));
    match family {
        Ok(family) => {
            roomy::prepare();
            set_running(family, settings);
            signals::stand_in();
            true
        }
        Err(why) => {
            sys::complain(format_args!("NSTK_IF={}: {why}", settings.device));
            give_up(on_failure)
        }
    }
}

/// Least address space that a stack and its program get along with.
const ADDRESS_SPACE_MIN: u64 = 1 << 30;

/// The limit of the address space in KiB, if it leaves no room for a stack.
fn scarce_address_space() -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place for the result.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) } == 0;
    (known && limit.rlim_cur < ADDRESS_SPACE_MIN).then_some(limit.rlim_cur / 1024)
}

/// Descriptors that a stack opens: its bells, region, device and template, and some that are closed again.
const DESCRIPTORS_MIN: usize = 48;

/// The limit of open files, if so few are left that a start would fail in the middle.
fn scarce_descriptors() -> Option<u64> {
    let mut opened = [-1; DESCRIPTORS_MIN];
    let first = sys::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0).unwrap_or(-1);
    let all = opened.iter_mut().all(|slot| {
        *slot = sys::fcntl(first, libc::F_DUPFD_CLOEXEC, 0).unwrap_or(-1);
        *slot >= 0
    });
    for fd in opened.into_iter().chain([first]).filter(|fd| *fd >= 0) {
        let _ = sys::close(fd);
    }
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place for the result.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    (!all).then_some(limit.rlim_cur)
}

static RENEWAL: ProcessLock<()> = ProcessLock::new(());

/// Starts a fresh stack in the place of one that has died, whose sockets answer `ECONNRESET` from
/// now on.
#[cold]
pub(crate) fn renew(before: &'static Family) -> Result<(), Errno> {
    let _inside = thread::inside();
    RENEWAL.with(|(), _| {
        ended(before);
        let running = running().ok_or(Errno(libc::ENETDOWN))?;
        if !core::ptr::eq(&raw const running.family, before) {
            return Ok(());
        }
        let renewed = roomy::start(|| {
            let family = before.renew(&running.settings)?;
            // The dead one stays: others may be inside.
            set_running(family, running.settings.clone());
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

/// The user chose what happens without a stack: the kernel's sockets, or nothing.
fn give_up(choice: OnFailure) -> bool {
    match choice {
        OnFailure::Kernel => false,
        OnFailure::Exit => sys::exit(1),
    }
}
